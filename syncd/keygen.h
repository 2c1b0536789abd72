/* SPDX-License-Identifier: BSD-2-Clause */
/* Making and changing key files (lib/keys.h). */
#ifndef HF_SYNCD_KEYGEN_H
#define HF_SYNCD_KEYGEN_H

enum hf_keygen_step {
	HF_KEYGEN_NEW,	   /* a file that is not there yet: a key, and the flows' */
	HF_KEYGEN_ADD,	   /* a new key that is known, and not yet in force */
	HF_KEYGEN_PROMOTE, /* the last key comes into force */
	HF_KEYGEN_RETIRE,  /* all keys but the one in force go */
};

/* 0 or a negative errno, said on standard error with its remedy. Files are replaced as a whole. */
int hf_keygen(const char *path, enum hf_keygen_step step);

#endif
