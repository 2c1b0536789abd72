/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cluster key and what is derived from it. A key file holds one key a line, 64 hexadecimal
 * digits each; the first is in force. It must not be readable by everyone.
 */
#ifndef HF_KEYS_H
#define HF_KEYS_H

#include <stddef.h>
#include <stdint.h>

#define HF_CLUSTER_KEY_BYTES 32

struct hf_cluster_key {
	unsigned char bytes[HF_CLUSTER_KEY_BYTES];
};

/* Names of the derived keys: crypto_kdf's subkey ids. Never renumber. */
enum hf_key_use {
	HF_KEY_FLOW = 1, /* SipHash of 5-tuples */
};

/* Reads the first key of the file. 0, or a negative errno with one line that says why, and what to
 * do, in why[0..size-1]. */
int hf_cluster_key_read(const char *path, struct hf_cluster_key *key, char *why, size_t size);

/* The key of a cluster that was told to be insecure: public, and the same everywhere. */
void hf_cluster_key_insecure(struct hf_cluster_key *key);

/* Two little-endian words, for SipHash. */
void hf_key_derive(const struct hf_cluster_key *key, enum hf_key_use use, uint64_t derived[2]);

#endif
