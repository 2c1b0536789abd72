// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/log.h"

#define PARKED_NAME "holdfast-device"

static void name_device(struct ifreq *request, const char *name)
{
	memset(request, 0, sizeof(*request));
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
}

int hf_device_set_up(const char *name)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;
	struct ifreq request;

	name_device(&request, name);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		err = -errno;
	request.ifr_flags = (short)(request.ifr_flags | IFF_UP);
	if (!err && ioctl(fd, SIOCSIFFLAGS, &request) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

int hf_device_open(const char *name)
{
	struct ifreq request;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC), err = 0;

	name_device(&request, name);
	request.ifr_flags = IFF_TUN | IFF_NO_PI;
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		err = -errno;
	if (!err) {
		hf_device_set_carrier(fd, false);
		err = hf_device_set_up(name);
	}
	if (!err)
		return fd;
	hf_error("can't make the device %s: %s; it takes /dev/net/tun and CAP_NET_ADMIN, and no "
		 "other device of this name",
		 name, strerror(-err));
	if (fd >= 0)
		close(fd);
	return err;
}

bool hf_device_is(int fd, const char *name)
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	return ioctl(fd, TUNGETIFF, &request) == 0 &&
	       strncmp(request.ifr_name, name, sizeof(request.ifr_name)) == 0;
}

bool hf_device_is_up(int fd, const char *name)
{
	struct ifreq request;
	bool up;
	int any;

	if (!hf_device_is(fd, name))
		return false;
	any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	name_device(&request, name);
	up = any >= 0 && ioctl(any, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
	if (any >= 0)
		close(any);
	return up;
}

void hf_device_set_carrier(int fd, bool carrier)
{
	int value = carrier;

	if (ioctl(fd, TUNSETCARRIER, &value) < 0)
		hf_error("can't switch the device's carrier: %s", strerror(errno));
}

int hf_device_parked(const char *name)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names), found = -1;

	for (int i = 0; i < count; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (found < 0 && strcmp(names[i], PARKED_NAME) == 0 && hf_device_is(fd, name))
			found = fd;
		else
			close(fd);
		free(names[i]);
	}
	free(names);
	/* There is room for one: what is of no use must not keep the next one out. */
	if (found < 0)
		sd_notify(0, "FDSTOREREMOVE=1\nFDNAME=" PARKED_NAME);
	return found;
}

void hf_device_park(int fd)
{
	sd_pid_notify_with_fds(0, 0, "FDSTORE=1\nFDNAME=" PARKED_NAME, &fd, 1);
}
