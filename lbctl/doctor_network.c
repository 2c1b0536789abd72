// SPDX-License-Identifier: BSD-2-Clause
/* The node's network: its interfaces, and what they can carry. */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lbctl/doctor.h"

#define CLIENT_MTU 1500 /* what clients send at most */
#define ROOM_IPIP  40	/* over IPv6 */
#define ROOM_GUE   52	/* IPv6, UDP, GUE */

/* Of IPv4's, -1: there is none. */
static long read_setting(const char *interface, const char *name)
{
	char path[160];
	FILE *file;
	long number = -1;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", interface, name);
	file = fopen(path, "r");
	if (!file)
		return -1;
	if (fscanf(file, "%ld", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static bool ethtool(const char *interface, void *command)
{
	struct ifreq request = { .ifr_data = command };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool done;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	done = fd >= 0 && ioctl(fd, SIOCETHTOOL, &request) == 0;
	if (fd >= 0)
		close(fd);
	return done;
}

/* -1: not known. */
static long mtu_of(const char *interface)
{
	struct ifreq request = { .ifr_mtu = -1 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (fd < 0 || ioctl(fd, SIOCGIFMTU, &request) < 0)
		request.ifr_mtu = -1;
	if (fd >= 0)
		close(fd);
	return request.ifr_mtu;
}

static void look_at_offloads(json_t *findings, const char *interface)
{
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	char remedy[80];

	if (!ethtool(interface, &flags) || !(flags.data & ETH_FLAG_LRO))
		return;
	snprintf(remedy, sizeof(remedy), "ethtool -K %s lro off", interface);
	hf_finding_add(findings, HF_FINDING_BAD, interface, remedy,
		       "its large receive offload (LRO) makes packets that XDP can't forward");
}

static bool has_gue(const struct hf_config *config)
{
	for (uint32_t i = 0; i < config->pool_count; i++)
		if (config->pools[i].encapsulation == HF_CONFIG_GUE)
			return true;
	return false;
}

static void look_at_mtu(json_t *findings, const struct hf_config *config, const char *interface)
{
	long mtu = mtu_of(interface);
	long needed = CLIENT_MTU + (has_gue(config) ? ROOM_GUE : ROOM_IPIP);
	char remedy[160];

	if (mtu < 0 || mtu >= needed)
		return;
	snprintf(remedy, sizeof(remedy),
		 "ip link set %s mtu %ld, if all of the way to the "
		 "backends can carry it; or let lbhost lower the MSS",
		 interface, needed);
	hf_finding_add(findings, HF_FINDING_DOUBTFUL, interface, remedy,
		       "MTU %ld is less than %ld, a client's largest packet in a tunnel: whoever "
		       "sends such is told to send smaller ones",
		       mtu, needed);
}

/* XDP comes before it; but answers to checks, and gossip, don't. */
static void look_at_rp_filter(json_t *findings, const char *interface)
{
	long own = read_setting(interface, "rp_filter");
	long all = read_setting("all", "rp_filter");
	char remedy[120];

	if (own != 1 && all != 1)
		return;
	snprintf(remedy, sizeof(remedy), "sysctl -w net.ipv4.conf.%s.rp_filter=2", interface);
	hf_finding_add(findings, HF_FINDING_DOUBTFUL, interface, remedy,
		       "rp_filter is strict: where ways are not symmetric, as behind ECMP, gossip "
		       "and answers to checks are dropped");
}

static void look_at_interface(json_t *findings, const struct hf_config *config,
			      const char *interface)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	bool generic = config->node.xdp_mode == HF_CONFIG_XDP_GENERIC;

	if (!if_nametoindex(interface)) {
		hf_finding_add(findings, HF_FINDING_BAD, interface, "ip link; node.interfaces",
			       "there is no such interface");
		return;
	}
	if (!ethtool(interface, &driver))
		snprintf(driver.driver, sizeof(driver.driver), "unknown");
	if (ethtool(interface, &link) && !link.data)
		hf_finding_add(findings, HF_FINDING_BAD, interface, "the cable, and the switch",
			       "it has no link");
	hf_finding_add(findings, generic ? HF_FINDING_DOUBTFUL : HF_FINDING_GOOD, interface,
		       generic ? "node.xdp_mode: native, where the driver can" : "",
		       "driver %s, XDP %s", driver.driver,
		       generic ? "generic, which is several times slower" : "native");
	look_at_offloads(findings, interface);
	look_at_mtu(findings, config, interface);
	look_at_rp_filter(findings, interface);
}

void hf_doctor_network(json_t *findings, const struct hf_config *config)
{
	if (!config)
		return;
	for (uint32_t i = 0; i < config->node.interface_count; i++)
		look_at_interface(findings, config, config->node.interfaces[i]);
	if (!config->node.interface_count)
		hf_finding_add(findings, HF_FINDING_GOOD, "interfaces", "",
			       "those of the default routes; `lbctl nodes --json` names them");
}
