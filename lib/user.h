/* SPDX-License-Identifier: BSD-2-Clause */
/* Daemons that need root's rights only to start, if at all, and then are a user without any. */
#ifndef HF_USER_H
#define HF_USER_H

#include <pwd.h>

/* The user to become, when this process is root's. NULL, logged, when there is none without root's
 * rights. `group`: to be in, or NULL for the user's own. Valid until the next call. */
const struct passwd *hf_user_find(const char *name, const char *group);

/* As root, if `user` is not NULL: makes the directory, and its parent, root's, if need be, and
 * gives it to the user. 0 or a negative errno, logged. */
int hf_user_directory(const struct passwd *user, const char *parent, const char *path);

/* hf_preflight_lock() as the user: what root opens in another's directory may be a link to
 * anywhere. */
int hf_user_lock(const struct passwd *user, const char *directory, const char *program,
		 const char *instance);

/* Becomes the user, without any capability; NULL: stays who it is, without any. 0 or -EPERM,
 * logged. */
int hf_user_become(const struct passwd *user);

#endif
