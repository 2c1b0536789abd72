/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The cluster's keys and what is derived from them.
 *
 * A key file has a key a line, 64 hexadecimal digits each. The first is in force: it seals what
 * nodes say to each other. What is sealed by any other one of the file is understood, too, so keys
 * can be changed without a moment in which nodes don't understand each other. A line `flow KEY`
 * holds the key that flows are hashed under, which stays when the others change, since all that a
 * cluster remembers of its flows goes by it; without such a line it is derived from the first key.
 * Lines that begin with # are comments. The file must not be readable by everyone.
 */
#ifndef HF_KEYS_H
#define HF_KEYS_H

#include <stddef.h>
#include <stdint.h>

#define HF_CLUSTER_KEY_BYTES 32
#define HF_KEY_RING_MAX	     8

struct hf_cluster_key {
	unsigned char bytes[HF_CLUSTER_KEY_BYTES];
};

struct hf_key_ring {
	struct hf_cluster_key key[HF_KEY_RING_MAX]; /* the first is in force */
	uint32_t count;
	struct hf_cluster_key flow;
};

/* Names of the derived keys: crypto_kdf's subkey ids. Never renumber. */
enum hf_key_use {
	HF_KEY_FLOW = 1,   /* 16 bytes: SipHash of 5-tuples, from the ring's flow key */
	HF_KEY_GOSSIP = 2, /* 32 bytes: XChaCha20-Poly1305 of datagrams and streams */
	HF_KEY_ID = 3,	   /* 16 bytes, of which the first tells a ring's keys apart on the wire */
	HF_KEY_HOP = 4,	   /* 16 bytes: SipHash of what nodes pass to each other */
};

/* Reads a key file. 0, or a negative errno with one line that says why, and what to do, in
 * why[0..size-1]. */
int hf_key_ring_read(const char *path, struct hf_key_ring *ring, char *why, size_t size);

/* The ring of a cluster that was told to be insecure: public, and the same everywhere. */
void hf_key_ring_insecure(struct hf_key_ring *ring);

/* Fills derived[0..size-1]; two of them, taken as little-endian words, make a SipHash key. */
void hf_key_derive(const struct hf_cluster_key *key, enum hf_key_use use, void *derived,
		   size_t size);

#endif
