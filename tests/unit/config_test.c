// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/config.h"
#include "tests/unit/unit.h"

/* Lines 1 to 4; what a test is about starts in line 5. */
#define HEAD                                      \
	"cluster: {insecure: true}\n"             \
	"node: {name: lb1, interfaces: [eth0]}\n" \
	"timeouts: {udp: 30}\n"                   \
	"tables: {flows: 2000000}\n"
#define POOL       \
	"pools:\n" \
	"  - {name: web, backends: [{name: be1, address: 192.0.2.1}]}\n"
#define SERVICES      \
	"services:\n" \
	"  - {address: 203.0.113.10, port: 80, protocol: tcp, pool: web}\n"

static struct hf_config *config;
static struct hf_config_error error;

static int load(const char *text, size_t length)
{
	char path[] = "/tmp/hf-config-XXXXXX";
	int fd = mkstemp(path), err;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, length), length);
	close(fd);
	config = NULL;
	memset(&error, 0, sizeof(error));
	err = hf_config_load(path, &config, &error);
	unlink(path);
	return err;
}

/* The file must be refused with the given line, key and words, in one line of text. */
static void refuse(const char *text, int line, const char *key, const char *words)
{
	char place[32];

	snprintf(place, sizeof(place), ":%d: ", line);
	assert_int_equal(load(text, strlen(text)), -EINVAL);
	assert_null(config);
	if (!strstr(error.text, place) || !strstr(error.text, key) || !strstr(error.text, words))
		fail_msg("expected line %d, \"%s\" and \"%s\" in: %s", line, key, words,
			 error.text);
	assert_null(strchr(error.text, '\n'));
}

static void a_good_file(void **state)
{
	const char text[] = HEAD SERVICES POOL;

	(void)state;
	assert_int_equal(load(text, strlen(text)), 0);
	assert_string_equal(config->node.name, "lb1");
	assert_int_equal(config->timeouts.udp, 30);
	assert_int_equal(config->timeouts.tcp_embryonic, 60);
	assert_int_equal(config->flows, 2000000);
	assert_int_equal(config->services[0].port, 80);
	assert_int_equal(config->services[0].pool, 0);
	assert_int_equal(config->pools[0].table_size, 65537);
	assert_int_equal(config->pools[0].backends[0].weight, 100);
	hf_config_free(config);
}

static void the_example(void **state)
{
	(void)state;
	if (hf_config_load(HF_SOURCE_DIR "/docs/holdfast.yaml", &config, &error) < 0)
		fail_msg("%s", error.text);
	assert_true(config->service_count >= 4);
	hf_config_free(config);
}

#define CHECKED(keys)                   \
	HEAD SERVICES "pools:\n"        \
		      "  - name: web\n" \
		      "    " keys "\n"  \
		      "    backends: [{name: be1, address: 192.0.2.1}]\n"

static void checks(void **state)
{
	const char good[] = CHECKED("check: {type: http, interval: 0.5, fall: 2}");
	const char tunnel[] = CHECKED("check: {type: tcp, through: tunnel, port: 81}");
	const struct hf_config_check *check;

	(void)state;
	assert_int_equal(load(good, sizeof(good) - 1), 0);
	check = &config->pools[0].check;
	assert_int_equal(check->interval, 500);
	assert_int_equal(check->timeout, 250);
	assert_int_equal(check->fall, 2);
	assert_int_equal(check->rise, 2);
	assert_int_equal(check->port, 80);
	assert_int_equal(check->status_least, 200);
	assert_int_equal(check->status_most, 399);
	assert_int_equal(config->pools[0].panic_threshold, 50);
	hf_config_free(config);
	assert_int_equal(load(tunnel, sizeof(tunnel) - 1), 0);
	assert_int_equal(config->pools[0].check.port, 81);
	assert_true(hf_address_equal(&config->pools[0].check.vip, &config->services[0].address));
	hf_config_free(config);

	refuse(CHECKED("check: {interval: 2}"), 9, "type", "missing");
	refuse(CHECKED("check: {type: icmp}"), 9, "type", "icmp");
	refuse(CHECKED("check: {type: tcp, interval: 0.05}"), 9, "interval", "0.1 to 3600");
	refuse(CHECKED("check: {type: tcp, interval: 1s}"), 9, "interval", "not within");
	refuse(CHECKED("check: {type: tcp, interval: 1, timeout: 2}"), 9, "timeout", "0.01 to 1");
	refuse(CHECKED("check: {type: tcp, fall: 0}"), 9, "fall", "1 to 100");
	refuse(CHECKED("check: {type: tcp, path: /x}"), 9, "path", "no such key");
	refuse(CHECKED("check: {type: http, path: x}"), 9, "path", "begin with /");
	refuse(CHECKED("check: {type: http, path: '/a b'}"), 9, "path", "blanks");
	refuse(CHECKED("check: {type: http, host: 'a b'}"), 9, "host", "no host");
	refuse(CHECKED("check: {type: http, status: 20}"), 9, "status", "no status");
	refuse(CHECKED("check: {type: http, status: 300-200}"), 9, "status", "no status");
	refuse(CHECKED("check: {type: udp}"), 9, "check", "needs the key send");
	refuse(CHECKED("check: {type: dns}"), 9, "check", "needs the key query");
	refuse(CHECKED("check: {type: command, command: [x]}"), 9, "command", "full path");
	refuse(CHECKED("check: {type: command, command: [/x], through: tunnel}"), 9, "through",
	       "tunnel");
	refuse(CHECKED("panic_threshold: 0"), 9, "panic_threshold", "1 to 100");
	refuse(CHECKED("slow_start: -1"), 9, "slow_start", "0 to 3600");
}

static void discovery(void **state)
{
	const char file[] = HEAD SERVICES "pools:\n"
					  "  - {name: web, discover: {file: /etc/members}}\n";

	(void)state;
	assert_int_equal(load(file, sizeof(file) - 1), 0);
	assert_int_equal(config->pools[0].backend_count, 0);
	hf_config_free(config);
	refuse(CHECKED("discover: {server: 192.0.2.53}"), 9, "discover", "name a file");
	refuse(CHECKED("discover: {file: /x, dns: y}"), 9, "discover", "contradicts");
	refuse(CHECKED("discover: {file: x}"), 9, "discover.file", "full path");
	refuse(CHECKED("discover: {file: /x, type: srv}"), 9, "discover", "dns's");
	refuse(CHECKED("discover: {dns: x, server: 'a:b'}"), 9, "discover.server", "no address");
}

#define BGP(keys) HEAD SERVICES POOL "bgp: {local_as: 64512" keys "}\n"

static void announcements(void **state)
{
	const char plain[] = BGP("");
	const char full[] = BGP(", peers: [spine1, spine2], lease_time: 2.5, hold_down: 0, "
				"drain_time: 30, drain_prepend: 3, drain_med: 200, on_all_down: "
				"withdraw, ucmp: false, include: /etc/bird/holdfast/v.conf, "
				"device: vip0, bird_socket: /run/b.ctl");

	(void)state;
	assert_int_equal(load(HEAD SERVICES POOL, strlen(HEAD SERVICES POOL)), 0);
	assert_int_equal(config->bgp.local_as, 0);
	assert_int_equal(config->pools[0].min_backends, 1);
	hf_config_free(config);
	assert_int_equal(load(plain, sizeof(plain) - 1), 0);
	assert_int_equal(config->bgp.local_as, 64512);
	assert_int_equal(config->bgp.lease_time, 10000);
	assert_int_equal(config->bgp.drain_med, -1);
	assert_int_equal(config->bgp.on_all_down, HF_CONFIG_ON_ALL_DOWN_ANNOUNCE);
	assert_int_equal(config->bgp.ucmp, HF_CONFIG_UCMP_ON);
	assert_string_equal(config->bgp.include, HF_CONFIG_BIRD_INCLUDE);
	hf_config_free(config);
	assert_int_equal(load(full, sizeof(full) - 1), 0);
	assert_int_equal(config->bgp.lease_time, 2500);
	assert_int_equal(config->bgp.drain_prepend, 3);
	assert_int_equal(config->bgp.drain_med, 200);
	assert_int_equal(config->bgp.peer_count, 2);
	assert_string_equal(config->bgp.device, "vip0");
	hf_config_free(config);
	refuse(HEAD SERVICES POOL "metrics: {port: 65534}\n", 9, "metrics.port", "0 to 65533");
	refuse(HEAD SERVICES POOL "metrics: {address: here}\n", 9, "metrics.address", "no address");
	refuse(HEAD SERVICES POOL "bgp: {peers: [a]}\n", 9, "local_as", "required");
	refuse(BGP(", on_all_down: maybe"), 9, "on_all_down", "announce or withdraw");
	refuse(BGP(", lease_time: 0.1"), 9, "bgp.lease_time", "0.5 to");
	refuse(BGP(", drain_prepend: 11"), 9, "bgp.drain_prepend", "0 to 10");
	refuse(BGP(", include: vips.conf"), 9, "bgp.include", "full path");
	refuse(BGP(", include: /x/vips"), 9, "bgp.include", "end with .conf");
	refuse(BGP(", device: holdfast-too-long"), 9, "bgp.device", "no name");
	refuse(BGP(", peers: ['a b']"), 9, "bgp.peers[0]", "no name of a session");
	refuse(HEAD SERVICES POOL "bgp: {local_as: 0}\n", 9, "bgp.local_as", "1 to");
	refuse(CHECKED("min_backends: 0"), 9, "min_backends", "1 to");
}

#define CLUSTER(keys, node) \
	"cluster: {insecure: true, " keys "}\nnode: {name: lb1" node "}\n" SERVICES POOL

static void clusters(void **state)
{
	const char good[] = CLUSTER("name: prod, port: 7000, owners: 3, seeds: [lb1.example.net, "
				    "'lb2:7001', 192.0.2.1, '192.0.2.2:7002', '2001:db8::1', "
				    "'[2001:db8::2]', '[2001:db8::3]:7003']",
				    ", gossip_address: 192.0.2.11, weight: 7");
	static const struct {
		const char *host;
		uint16_t port;
	} seeds[] = {
		{ "lb1.example.net", 7000 }, { "lb2", 7001 },	      { "192.0.2.1", 7000 },
		{ "192.0.2.2", 7002 },	     { "2001:db8::1", 7000 }, { "2001:db8::2", 7000 },
		{ "2001:db8::3", 7003 },
	};

	(void)state;
	assert_int_equal(load(good, sizeof(good) - 1), 0);
	assert_string_equal(config->cluster.name, "prod");
	assert_int_equal(config->cluster.port, 7000);
	assert_int_equal(config->cluster.owners, 3);
	assert_int_equal(config->node.weight, 7);
	assert_int_equal(config->node.gossip_address.family, 4);
	assert_int_equal(config->cluster.seed_count, 7);
	for (int i = 0; i < 7; i++) {
		assert_string_equal(config->cluster.seeds[i].host, seeds[i].host);
		assert_int_equal(config->cluster.seeds[i].port, seeds[i].port);
	}
	hf_config_free(config);
	assert_int_equal(load(HEAD SERVICES POOL, strlen(HEAD SERVICES POOL)), 0);
	assert_string_equal(config->cluster.name, HF_CONFIG_CLUSTER_DEFAULT);
	assert_int_equal(config->cluster.owners, 2);
	assert_int_equal(config->cluster.seed_count, 0);
	hf_config_free(config);

	refuse(CLUSTER("name: 'a b'", ""), 1, "cluster.name", "no name");
	refuse(CLUSTER("port: 0", ""), 1, "cluster.port", "1 to 65535");
	refuse(CLUSTER("owners: 4", ""), 1, "cluster.owners", "1 to 3");
	refuse(CLUSTER("seeds: ['lb1:']", ""), 1, "cluster.seeds[0]", "no node");
	refuse(CLUSTER("seeds: [lb1, 'lb2:70000']", ""), 1, "cluster.seeds[1]", "no node");
	refuse(CLUSTER("seeds: ['[2001:db8::1']", ""), 1, "cluster.seeds[0]", "no node");
	refuse(CLUSTER("seeds: ['[2001:db8::1]x']", ""), 1, "cluster.seeds[0]", "no node");
	refuse(CLUSTER("seeds: ['']", ""), 1, "seeds", "length");
	refuse(CLUSTER("name: a", ", gossip_address: 127.0.0.1"), 2, "node.gossip_address",
	       "reach");
	refuse(CLUSTER("name: a", ", weight: 0"), 2, "node.weight", "1 to 65535");
}

static void structure(void **state)
{
	(void)state;
	refuse("", 1, "services", "empty");
	refuse(HEAD SERVICES "pools:\n  - name: web\n    backend: []\n", 9, "backend",
	       "unknown key");
	refuse(HEAD "nodes: {}\n" SERVICES POOL, 5, "nodes", "unknown key");
	refuse(HEAD POOL, 6, "services", "missing");
	refuse(HEAD SERVICES "pools:\n  - {name: web}\n", 8, "pools[0]", "has no backends");
	refuse(HEAD SERVICES "pools:\n  - {name: web, backends: []}\n", 8, "backends", "");
	refuse(HEAD SERVICES POOL "services: []\n", 9, "services", "given twice");
	refuse(HEAD "services: 5\n" POOL, 5, "services", "");
	refuse(HEAD
	       "services:\n  - {address: 203.0.113.10, port: 80, protocol: sctp, pool: web}\n" POOL,
	       6, "protocol", "use tcp or udp");
	refuse(HEAD SERVICES "pools:\n  - {name: web, encapsulation: vxlan, backends: []}\n", 8,
	       "encapsulation", "use ipip or gue");
	refuse(HEAD "services: &x\n  - {address: *x}\n" POOL, 6, "", "an alias");
	refuse(HEAD SERVICES POOL "---\n" SERVICES, 9, "", "second document");
	refuse("a: [[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]\n", 1, "", "too deep");
}

#define ONE(port, protocol, more)                                                    \
	"services:\n  - {address: 203.0.113.10, port: " port ", protocol: " protocol \
	", pool: web" more "}\n"

/* Left out: as the encapsulation has it. */
static void last_chances(void **state)
{
	static const struct {
		const char *options;
		bool has;
	} cases[] = {
		{ "", false },
		{ ", encapsulation: gue", true },
		{ ", last_chance: true", true },
		{ ", encapsulation: gue, last_chance: false", false },
	};
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text),
			 HEAD SERVICES "pools:\n  - {name: web%s, "
				       "backends: [{name: be1, address: 192.0.2.1}]}\n",
			 cases[i].options);
		assert_int_equal(load(text, strlen(text)), 0);
		assert_int_equal(config->pools[0].last_chance, cases[i].has);
		hf_config_free(config);
	}
	refuse(HEAD SERVICES "pools:\n  - {name: web, last_chance: no, "
			     "backends: [{name: be1, address: 192.0.2.1}]}\n",
	       8, "last_chance", "use true or false");
}

static void stateless_services(void **state)
{
	const char good[] = HEAD ONE("53", "udp", ", stateless: true") POOL;

	(void)state;
	assert_int_equal(load(good, strlen(good)), 0);
	assert_true(config->services[0].stateless);
	hf_config_free(config);
	refuse(HEAD ONE("53", "udp", ", stateless: yes") POOL, 6, "stateless", "use true or false");
}

/* Of any pool: two may share backends. */
static void ports_of_tunnels(void **state)
{
	const char other_gue[] =
		"pools:\n  - {name: web, backends: [{name: a, address: 192.0.2.1}]}\n"
		"  - {name: gue, encapsulation: gue, gue_port: 7000,\n"
		"     backends: [{name: a, address: 192.0.2.1}]}\n";
	char text[1024];

	(void)state;
	refuse(HEAD ONE("6080", "udp", "") POOL, 6, "services[0].port", "that of GUE tunnels");
	snprintf(text, sizeof(text), "%s%s", HEAD ONE("7000", "udp", ""), other_gue);
	refuse(text, 6, "services[0].port", "that of GUE tunnels");
	snprintf(text, sizeof(text), "%s%s", HEAD ONE("7000", "tcp", ""), other_gue);
	assert_int_equal(load(text, strlen(text)), 0);
	hf_config_free(config);
}

static void truncated_files(void **state)
{
	const char text[] = HEAD SERVICES POOL;
	size_t good = 0;

	(void)state;
	/* No prefix of a good file is taken for a good file, but one that lost white space only, or
	 * the last digits of the last address. */
	for (size_t length = 0; length < strlen(text); length++) {
		if (load(text, length) == 0) {
			good++;
			hf_config_free(config);
		} else {
			assert_non_null(strstr(error.text, "/tmp/hf-config-"));
		}
	}
	assert_int_equal(good, 1); /* without the last newline */
	refuse(HEAD "services:\n  - {address: 203.0.113.1", 6, "", "not YAML");
}

static void unreadable_files(void **state)
{
	(void)state;
	assert_int_equal(hf_config_load("/nonexistent/file", &config, &error), -ENOENT);
	assert_non_null(strstr(error.text, "/nonexistent/file: can't read it: No such file"));
	assert_int_equal(hf_config_load("/tmp", &config, &error), -EISDIR);
	assert_int_not_equal(load("\xff\xfe\x00\x01garbage\x00", 12), 0);
	assert_int_not_equal(load("\0\0\0\0", 4), 0);
}

static void services(void **state)
{
#define SERVICE(text) HEAD "services:\n  - {" text "}\n" POOL
#define TWO(a, b)     HEAD "services:\n  - {" a "}\n  - {" b "}\n" POOL
#define S(address, port, protocol) \
	"address: '" address "', port: " port ", protocol: " protocol ", pool: web"
	(void)state;
	refuse(SERVICE(S("203.0.113.300", "80", "tcp")), 6, "services[0].address", "neither");
	refuse(SERVICE(S("127.0.0.1", "80", "tcp")), 6, "services[0].address", "VIP");
	refuse(SERVICE("address: \"203\\n\\e[31m\", port: 80, protocol: tcp, pool: web"), 6,
	       "services[0].address", "\"203  [31m\"");
	refuse(SERVICE(S("203.0.113.10", "0", "tcp")), 6, "services[0].port", "1 to 65535, or all");
	refuse(SERVICE(S("203.0.113.10", "65536", "tcp")), 6, "services[0].port", "");
	refuse(SERVICE(S("203.0.113.10", "http", "tcp")), 6, "services[0].port", "");
	refuse(SERVICE("address: 203.0.113.10, port: 80, protocol: tcp, pool: nil"), 6,
	       "services[0].pool", "no pool \"nil\"");
	refuse(TWO(S("203.0.113.10", "80", "tcp"), S("203.0.113.10", "80", "tcp")), 7,
	       "services[1]", "already the service in line 6");
	refuse(TWO(S("2001:db8::1", "80", "tcp"), S("2001:DB8:0::1", "80", "tcp")), 7,
	       "services[1]", "already");
	refuse(TWO(S("203.0.113.10", "all", "tcp"), S("203.0.113.10", "80", "tcp")), 7,
	       "services[1].port", "overlaps the service on all ports of 203.0.113.10 in line 6");
	refuse(TWO(S("203.0.113.10", "80", "tcp"), S("203.0.113.10", "all", "tcp")), 6,
	       "services[0].port", "overlaps");
	assert_int_equal(
		load(TWO(S("203.0.113.10", "all", "tcp"), S("203.0.113.10", "53", "udp")),
		     strlen(TWO(S("203.0.113.10", "all", "tcp"), S("203.0.113.10", "53", "udp")))),
		0);
	hf_config_free(config);
}

static void pools(void **state)
{
#define BACKENDS(text) HEAD SERVICES "pools:\n  - name: web\n    backends:\n" text
	(void)state;
	refuse(BACKENDS("      - {name: a, address: 192.0.2.1, weight: 0}\n"), 10,
	       "pools[0].backends[0].weight", "use 1 to 65535");
	refuse(BACKENDS("      - {name: a, address: 192.0.2.1, weight: 65536}\n"), 10, "weight",
	       "use 1 to 65535");
	refuse(BACKENDS("      - {name: a, address: 192.0.2.1, weight: -1}\n"), 10, "weight", "-1");
	refuse(BACKENDS("      - {name: a, address: 192.0.2.1, weight: 1.5}\n"), 10, "weight",
	       "1.5");
	refuse(BACKENDS("      - {name: a, address: 192.0.2.1, weight: 0100}\n"), 10, "weight",
	       "0100");
	refuse(BACKENDS("      - {name: a, address: 203.0.113.10}\n"), 6, "services[0].address",
	       "a backend's own address");
	refuse(BACKENDS("      - {name: a, address: 224.0.0.1}\n"), 10, "address", "single host");
	refuse(BACKENDS("      - {name: a b, address: 192.0.2.1}\n"), 10, "name", "use 1 to 63");
	refuse(BACKENDS("      - {name: a, address: 192.0.2.1}\n      - {name: a, address: "
			"192.0.2.2}\n"),
	       11, "backends[1].name", "already");
	refuse(BACKENDS("      - {name: a, address: '2001:db8::1'}\n      - {name: b, address: "
			"'2001:db8:0::1'}\n"),
	       11, "backends[1].address", "already");
	refuse(HEAD SERVICES "pools:\n  - name: web\n    table_size: 65536\n    backends:\n"
			     "      - {name: a, address: 192.0.2.1}\n",
	       9, "table_size", "prime");
	refuse(HEAD SERVICES "pools:\n  - name: web\n    gue_port: 6080\n    backends:\n"
			     "      - {name: a, address: 192.0.2.1}\n",
	       9, "gue_port", "ipip");
	refuse(HEAD SERVICES POOL "  - {name: web, backends: [{name: b, address: 192.0.2.2}]}\n", 9,
	       "pools[1].name", "already a pool");
}

static void families(void **state)
{
	(void)state;
	refuse("cluster: {insecure: true}\n"
	       "node: {name: lb1, addresses: [198.51.100.1]}\n" SERVICES
	       "pools:\n  - name: web\n    backends:\n"
	       "      - {name: a, address: '2001:db8::1'}\n",
	       8, "pools[0].backends[0].address", "names no IPv6 address");
	refuse("cluster: {insecure: true}\n"
	       "node: {name: lb1, addresses: [198.51.100.1, 198.51.100.2]}\n" SERVICES POOL,
	       2, "node.addresses[1]", "one a family");
}

static void the_rest(void **state)
{
	(void)state;
	refuse("cluster: {}\n" SERVICES POOL, 1, "cluster", "key_file");
	refuse("cluster: {insecure: true, key_file: /x}\n" SERVICES POOL, 1, "insecure", "");
	refuse("cluster: {insecure: flase}\n" SERVICES POOL, 1, "insecure", "use true or false");
	refuse("cluster: {insecure: true}\nnode: {addresses: [192.0.2.1/24]}\n" SERVICES POOL, 2,
	       "node.addresses[0]", "beyond its length");
	refuse("cluster: {insecure: true}\nnode: {interfaces: [averyverylongname0]}\n" SERVICES
		       POOL,
	       2, "node.interfaces[0]", "can't be");
	refuse("cluster: {insecure: true}\ntimeouts:\n  udp: 3\n" SERVICES POOL, 3, "timeouts.udp",
	       "out of range");
	refuse("cluster: {insecure: true}\ntables:\n  flows: 10\n" SERVICES POOL, 3, "tables.flows",
	       "out of range");
	refuse("cluster: {insecure: true}\nnode:\n  name: 'no name'\n" SERVICES POOL, 3,
	       "node.name", "");
	refuse("cluster: {insecure: true}\nnode:\n  xdp_mode: fast\n" SERVICES POOL, 3, "xdp_mode",
	       "use native or generic");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_file),	   cmocka_unit_test(the_example),
		cmocka_unit_test(checks),	   cmocka_unit_test(discovery),
		cmocka_unit_test(announcements),   cmocka_unit_test(clusters),
		cmocka_unit_test(structure),	   cmocka_unit_test(stateless_services),
		cmocka_unit_test(last_chances),	   cmocka_unit_test(ports_of_tunnels),
		cmocka_unit_test(truncated_files), cmocka_unit_test(unreadable_files),
		cmocka_unit_test(services),	   cmocka_unit_test(pools),
		cmocka_unit_test(families),	   cmocka_unit_test(the_rest),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
