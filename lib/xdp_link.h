/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * XDP programs on interfaces, by links that are pinned, so that they outlive their agent and are
 * taken over by the next one without a packet lost.
 */
#ifndef HF_XDP_LINK_H
#define HF_XDP_LINK_H

#include <stdbool.h>
#include <stdint.h>

#define HF_XDP_LINK	 "link-" /* and the interface's name: the pin of its link */
#define HF_XDP_LINK_SIZE (sizeof(HF_XDP_LINK) + 16)

/* The name of an interface's pin, to and from. bpffs forbids dots and interfaces colons, so one
 * stands for the other. hf_xdp_link_interface() says false of what is no link's pin. */
const char *hf_xdp_link_pin(const char *interface, char pin[HF_XDP_LINK_SIZE]);
bool hf_xdp_link_interface(const char *pin, char interface[16]);

/*
 * Attaches the program to the interface, or puts it in the place of the one that a former agent of
 * this instance attached. Native, or generic when asked for; never the one for the other. 0 or a
 * negative errno, logged with its remedy.
 */
int hf_xdp_attach(const char *instance, const char *interface, int program, bool generic);

/* Whether any of the instance's links that are bound to an interface runs the program of that id.
 */
bool hf_xdp_runs(const char *instance, uint32_t id);

/* Whether an XDP program, any, is on the interface. True, too, if that can't be told. */
bool hf_xdp_is_on(uint32_t ifindex);

/* Puts a program on all of the instance's links that are bound to an interface. False: not on all.
 */
bool hf_xdp_update_all(const char *instance, int program);

#endif
