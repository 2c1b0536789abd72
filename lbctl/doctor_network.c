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
#include "lbctl/json.h"

#define CLIENT_MTU 1500 /* what clients send at most */
#define ROOM_IPV4  20
#define ROOM_IPV6  40
#define ROOM_GUE   12 /* UDP and GUE */
#define WAYS_MOST  64 /* backends that are looked at */

/* Of IPv4's; -1: there is none. */
static long read_setting(const char *interface, const char *name)
{
	char path[160];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", interface, name);
	return hf_doctor_number(path);
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

/* What `ip route get` says of the way to an address: a new object, or NULL. */
static json_t *ask_route(const struct hf_address *address)
{
	char command[HF_ADDRESS_TEXT + 40], text[HF_ADDRESS_TEXT];
	json_t *routes = NULL, *route;
	FILE *pipe;

	snprintf(command, sizeof(command), "ip -j route get %s 2>/dev/null",
		 hf_address_format(address, text));
	pipe = popen(command, "r");
	if (!pipe)
		return NULL;
	routes = json_loadf(pipe, 0, NULL);
	pclose(pipe);
	route = json_incref(json_array_get(routes, 0));
	json_decref(routes);
	return route;
}

/* The way to a backend must carry a client's largest packet, in its tunnel. */
static void look_at_way(json_t *findings, const struct hf_config_pool *pool,
			const struct hf_config_backend *backend)
{
	json_t *route = ask_route(&backend->address), *metrics;
	const char *device = hf_text(route, "dev");
	long needed = CLIENT_MTU + (backend->address.family == 4 ? ROOM_IPV4 : ROOM_IPV6) +
		      (pool->encapsulation == HF_CONFIG_GUE ? ROOM_GUE : 0);
	long mtu = device[0] ? mtu_of(device) : -1;
	char about[80], remedy[200];

	snprintf(about, sizeof(about), "%.30s/%.40s", pool->name, backend->name);
	metrics = json_array_get(json_object_get(route, "metrics"), 0);
	if (hf_number(metrics, "mtu"))
		mtu = (long)hf_number(metrics, "mtu");
	snprintf(remedy, sizeof(remedy),
		 "raise the MTU of the whole way to %ld; or run lbhost, which lowers the MSS, and "
		 "say `last_chance: true`",
		 needed);
	if (!device[0])
		hf_finding_add(findings, HF_FINDING_BAD, about, "ip route get",
			       "there is no route to it");
	else if (mtu > 0 && mtu < needed && pool->last_chance)
		hf_finding_add(findings, HF_FINDING_GOOD, about, "",
			       "MTU %ld by %s is less than %ld, a client's largest packet in a "
			       "tunnel, so lbhost has TCP send smaller ones",
			       mtu, device, needed);
	else if (mtu > 0 && mtu < needed)
		hf_finding_add(findings, HF_FINDING_DOUBTFUL, about, remedy,
			       "MTU %ld by %s is less than %ld, a client's largest packet in a "
			       "tunnel: whoever sends such is told to send smaller ones",
			       mtu, device, needed);
	json_decref(route);
}

/* XDP comes before it; but answers to checks, and gossip, don't. */
static void look_at_rp_filter(json_t *findings, const char *interface)
{
	long own = read_setting(interface, "rp_filter");
	long all = read_setting("all", "rp_filter");
	char remedy[120];

	/* The larger one counts; 1 is strict. */
	if ((own > all ? own : all) != 1)
		return;
	snprintf(remedy, sizeof(remedy), "sysctl -w net.ipv4.conf.%s.rp_filter=2", interface);
	hf_finding_add(findings, HF_FINDING_DOUBTFUL, interface, remedy,
		       "rp_filter is strict: where ways are not symmetric, as behind ECMP, gossip "
		       "and answers to checks are dropped");
}

static void look_at_interface(json_t *findings, const json_t *state)
{
	struct ethtool_drvinfo driver = { .cmd = ETHTOOL_GDRVINFO };
	struct ethtool_value link = { .cmd = ETHTOOL_GLINK };
	const char *interface = hf_text(state, "name"), *mode = hf_text(state, "mode");
	bool generic = strcmp(mode, "generic") == 0;

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
	if (!mode[0])
		hf_finding_add(findings, HF_FINDING_BAD, interface, "journalctl -u lbnode",
			       "no XDP program is on it (driver %s)", driver.driver);
	else
		hf_finding_add(findings, generic ? HF_FINDING_DOUBTFUL : HF_FINDING_GOOD, interface,
			       generic ? "node.xdp_mode: native, where the driver can" : "",
			       "driver %s, XDP %s", driver.driver,
			       generic ? "generic, which is several times slower" : "native");
	look_at_offloads(findings, interface);
	look_at_rp_filter(findings, interface);
}

void hf_doctor_network(json_t *findings, const struct hf_config *config, const json_t *facts)
{
	uint32_t ways = 0;
	json_t *state;
	size_t i;

	/* Those that lbnode is at, whoever chose them. */
	json_array_foreach (json_object_get(facts, "interfaces"), i, state)
		look_at_interface(findings, state);
	if (!facts)
		hf_finding_add(findings, HF_FINDING_DOUBTFUL, "interfaces",
			       "systemctl status lbnode",
			       "lbnode says nothing, so what is at them is not known");
	for (uint32_t p = 0; config && p < config->pool_count; p++)
		for (uint32_t b = 0; b < config->pools[p].backend_count && ways < WAYS_MOST;
		     b++, ways++)
			look_at_way(findings, &config->pools[p], &config->pools[p].backends[b]);
}
