/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The dead man's switch: a TUN device that the VIPs' routes in BIRD lead to, and that is there only
 * as long as somebody holds its descriptor. When lbbgp dies, and nobody keeps the descriptor for
 * the next one, the kernel takes the device away, BIRD hears of it and withdraws the routes: in
 * milliseconds, with no code of ours running. No packet ever goes by the device, for VIPs are the
 * node's own addresses, or met by XDP.
 *
 * It begins without a carrier, and our protocols in BIRD look at that (`check link`): what an old
 * include still says is not announced again just because the device is back.
 */
#ifndef HF_BGP_DEVICE_H
#define HF_BGP_DEVICE_H

#include <stdbool.h>

/* Makes the device, without a carrier, which takes CAP_NET_ADMIN. Its descriptor or a negative
 * errno, logged. */
int hf_device_open(const char *name);

/* Whether the descriptor is of the device of this name. */
bool hf_device_is(int fd, const char *name);

/* Up, if somebody has set it down; takes CAP_NET_ADMIN. 0 or a negative errno. */
int hf_device_set_up(const char *name);

/* Whether it is there, and nobody has set it down. */
bool hf_device_is_up(int fd, const char *name);

/* The kernel tells of a carrier's coming at once, of its going within a second. */
void hf_device_set_carrier(int fd, bool carrier);

/* The descriptor that a former lbbgp has parked with systemd (FileDescriptorStoreMax=1), or -1.
 * Parks it there; does nothing without systemd. */
int hf_device_parked(const char *name);
void hf_device_park(int fd);

#endif
