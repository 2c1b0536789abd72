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

/*
 * In two steps, so that nothing that is pinned goes before all that comes in its place is there:
 * hf_bpffs_stage() pins under a name of its own, and hf_bpffs_commit() puts all that was staged in
 * its place, `last` after the others: while that is still staged, the commit was not finished.
 * hf_bpffs_rollback() takes it away instead. 0 or a negative errno, logged.
 */
int hf_bpffs_stage(const char *instance, const char *pin, int fd);
int hf_bpffs_commit(const char *instance, const char *last);
int hf_bpffs_rollback(const char *instance);

/* Opens what was staged and not committed; as hf_bpffs_open(). */
int hf_bpffs_open_staged(const char *instance, const char *pin);

/* Opens what is pinned: its descriptor, or a negative errno (-ENOENT: nothing), not logged. */
int hf_bpffs_open(const char *instance, const char *pin);

/* Calls visit(context, name) for each of the instance's pins. 0 or a negative errno. */
int hf_bpffs_each(const char *instance, void (*visit)(void *context, const char *pin),
		  void *context);

/* Unpins what `remove` says yes to, by name. 0 or a negative errno, logged. */
int hf_bpffs_unpin(const char *instance, bool (*remove)(void *context, const char *pin),
		   void *context);

/* Takes away the instance's empty directory, and the root if it was the last. */
void hf_bpffs_remove(const char *instance);

#endif
