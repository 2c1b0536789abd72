// SPDX-License-Identifier: BSD-2-Clause
#include "lib/user.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"
#include "lib/preflight.h"

const struct passwd *hf_user_find(const char *name, const char *group)
{
	struct passwd *user = getpwnam(name);
	const struct group *entry = group ? getgrnam(group) : NULL;

	if (!user || !user->pw_uid) {
		hf_error("there is no user %s without root's rights to become; `useradd --system "
			 "%s`, or name another by --user",
			 name, name);
		return NULL;
	}
	if (group && !entry) {
		hf_error("there is no group %s to be in; name another by --group", group);
		return NULL;
	}
	if (entry)
		user->pw_gid = entry->gr_gid;
	return user;
}

int hf_user_directory(const struct passwd *user, const char *parent, const char *path)
{
	int err;

	if (!user)
		return 0;
	mkdir(parent, 0755);
	mkdir(path, 0755);
	if (chown(path, user->pw_uid, user->pw_gid) == 0)
		return 0;
	err = -errno;
	hf_error("can't make %s: %s", path, strerror(-err));
	return err;
}

int hf_user_lock(const struct passwd *user, const char *directory, const char *program,
		 const char *instance)
{
	int lock;

	if (user && (setegid(user->pw_gid) < 0 || seteuid(user->pw_uid) < 0))
		return -EPERM;
	lock = hf_preflight_lock(directory, program, instance);
	if (user && (seteuid(0) < 0 || setegid(0) < 0))
		return -EPERM;
	return lock;
}

/* systemd's filter of system calls forbids even to give up what one does not have. */
static int drop_capabilities(void)
{
	capng_get_caps_process();
	if (capng_have_capabilities(CAPNG_SELECT_ALL) == CAPNG_NONE)
		return 0;
	capng_clear(CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT);
	if (capng_apply(CAPNG_SELECT_CAPS) == 0)
		return 0;
	hf_error("can't give up the capabilities that are not needed");
	return -EPERM;
}

int hf_user_become(const struct passwd *user)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!user)
		return drop_capabilities();
	capng_clear(CAPNG_SELECT_BOTH);
	if (capng_change_id((int)user->pw_uid, (int)user->pw_gid,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) < 0) {
		hf_error("can't become user %s", user->pw_name);
		return -EPERM;
	}
	return 0;
}
