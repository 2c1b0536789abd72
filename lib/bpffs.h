/* SPDX-License-Identifier: BSD-2-Clause */
/* Where an instance's pins stand. */
#ifndef HF_BPFFS_H
#define HF_BPFFS_H

#include <stdbool.h>

#define HF_BPFFS	   "/sys/fs/bpf"
#define HF_BPFFS_ROOT	   HF_BPFFS "/holdfast"
#define HF_BPFFS_PATH_SIZE 256

/* An instance names a directory, without a dot, which bpffs forbids, and stands in JSON texts. */
bool hf_bpffs_instance_is_good(const char *name);

/* Writes the path of one of the instance's pins; NULL: of their directory. Returns `path`. */
const char *hf_bpffs_path(const char *instance, const char *pin, char path[HF_BPFFS_PATH_SIZE]);

/* Makes the instance's directory. 0 or a negative errno, logged: bpffs may not be mounted. */
int hf_bpffs_prepare(const char *instance);

/* Pins a descriptor, in place of what was pinned there. 0 or a negative errno, logged. */
int hf_bpffs_pin(const char *instance, const char *pin, int fd);

/* Opens what is pinned: its descriptor, or a negative errno (-ENOENT: nothing), not logged. */
int hf_bpffs_open(const char *instance, const char *pin);

/* Unpins what `remove` says yes to, by name. 0 or a negative errno, logged. */
int hf_bpffs_unpin(const char *instance, bool (*remove)(void *context, const char *pin),
		   void *context);

/* Takes away the instance's empty directory, and the root if it was the last. */
void hf_bpffs_remove(const char *instance);

#endif
