/* SPDX-License-Identifier: BSD-2-Clause */
/* A command's way to a running daemon: Unix seqpacket sockets, on which an answer is waited for. */
#ifndef HF_SEQPACKET_H
#define HF_SEQPACKET_H

/* Connects to `path`; sending and receiving then take so many seconds at most. A descriptor, the
 * caller's to close, or a negative errno. */
int hf_seqpacket_connect(const char *path, int patience_s);

#endif
