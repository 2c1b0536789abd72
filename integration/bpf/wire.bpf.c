// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* Makes a veth pair a wire in one more respect: a packet's hash, which the sender's socket chose
 * and by which routers would send it whatever their own seeds, does not go over it. */
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>

SEC("tc")
int wire(struct __sk_buff *skb)
{
	bpf_set_hash_invalid(skb);
	return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
