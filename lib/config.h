/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration file: read by a schema (config_schema.c), completed with defaults, and checked
 * as a whole (config_check.c). docs/holdfast.yaml documents every key for its users.
 *
 * Fields under "as written" come from the file; the others are what hf_config_load() made of
 * them. A loaded configuration is never changed.
 */
#ifndef HF_CONFIG_H
#define HF_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/address.h"

#define HF_CONFIG_SERVICES_MAX	  4096
#define HF_CONFIG_POOLS_MAX	  4096
#define HF_CONFIG_BACKENDS_MAX	  65535
#define HF_CONFIG_WEIGHT_DEFAULT  100
#define HF_CONFIG_NAME_MAX	  63 /* as a DNS label */
#define HF_CONFIG_FLOWS_DEFAULT	  1000000
#define HF_CONFIG_FLOWS_MIN	  1000
#define HF_CONFIG_FLOWS_MAX	  64000000
#define HF_CONFIG_CLUSTER_DEFAULT "holdfast"
#define HF_CONFIG_GOSSIP_PORT	  6090
#define HF_CONFIG_SEEDS_MAX	  16
#define HF_CONFIG_METRICS_ADDRESS "127.0.0.1"
#define HF_CONFIG_METRICS_PORT	  9160
#define HF_CONFIG_PEERS_MAX	  64
#define HF_CONFIG_BIRD_SOCKET	  "/run/bird/bird.ctl"
#define HF_CONFIG_BIRD_INCLUDE	  "/var/lib/holdfast/bgp/vips.conf"
#define HF_CONFIG_BGP_DEVICE	  "holdfast0"

enum hf_config_encapsulation { HF_CONFIG_IPIP, HF_CONFIG_GUE };
enum hf_config_protocol { HF_CONFIG_TCP, HF_CONFIG_UDP };
enum hf_config_xdp_mode { HF_CONFIG_XDP_NATIVE, HF_CONFIG_XDP_GENERIC };

enum hf_config_check_type {
	HF_CONFIG_CHECK_NONE, /* all backends are taken to live */
	HF_CONFIG_CHECK_TCP,
	HF_CONFIG_CHECK_HTTP,
	HF_CONFIG_CHECK_HTTPS,
	HF_CONFIG_CHECK_UDP,
	HF_CONFIG_CHECK_DNS,
	HF_CONFIG_CHECK_COMMAND,
};

/* How a pool's backends are checked. */
struct hf_config_check {
	struct {
		char *interval, *timeout;
		char *fall, *rise;
		char *port;
		char *status;
	} written;
	enum hf_config_check_type type;
	enum { HF_CONFIG_THROUGH_ADDRESS, HF_CONFIG_THROUGH_TUNNEL } through;
	char *path, *host, *body; /* of HTTP; body NULL: any */
	char *send, *expect;	  /* of UDP; expect NULL: any answer */
	char *query;		  /* of DNS: a name */
	char **command;		  /* program and arguments, without a NULL at the end */
	uint32_t command_count;
	uint32_t interval, timeout; /* ms */
	uint32_t fall, rise;
	uint16_t port; /* 0: that of the pool's first service that has one */
	uint16_t status_least, status_most;
	/* Whom probes through the tunnel are for: the pool's first service that the type suits. */
	struct hf_address vip;
};

/* Where a pool's members come from, beside those that are listed. */
struct hf_config_discover {
	char *file;
	char *dns;
	enum { HF_CONFIG_DNS_ADDRESS, HF_CONFIG_DNS_SRV } type;
	char *server; /* NULL: resolv.conf's */
};

struct hf_config_backend {
	struct {
		char *name;
		char *address;
		char *weight;
	} written;
	const char *name;
	struct hf_address address;
	uint32_t weight; /* 0, in a plan: it serves nothing new at present */
	/* In a plan (lbnode/plan.h), by an operator's word: its flows are to end within so many ms.
	 */
	bool drains;
	int64_t drain_left;
};

struct hf_config_pool {
	struct {
		char *name;
		char *gue_port;
		char *table_size;
		char *slow_start;
		char *panic_threshold;
		char *min_backends;
		enum { HF_CONFIG_DEFAULT, HF_CONFIG_YES, HF_CONFIG_NO } last_chance;
	} written;
	struct hf_config_check check;
	struct hf_config_discover discover;
	enum hf_config_encapsulation encapsulation;
	struct hf_config_backend *backends;
	uint32_t backend_count;
	const char *name;
	uint16_t gue_port;
	bool last_chance; /* its backends run lbhost, which takes them */
	uint32_t table_size;
	uint32_t slow_start;	  /* seconds; 0: none */
	uint32_t panic_threshold; /* percent of the backends; 100: none */
	uint32_t min_backends;	  /* with fewer usable ones its services' VIPs are withdrawn */
};

struct hf_config_service {
	struct {
		char *address;
		char *port;
		char *pool;
	} written;
	enum hf_config_protocol protocol;
	int stateless; /* 0 or 1 */
	struct hf_address address;
	uint16_t port; /* 0: all ports */
	uint32_t pool; /* index into pools */
};

struct hf_config_node {
	struct {
		char *name;
		char **addresses;
		uint32_t address_count;
		char *gossip_address;
		char *weight;
	} written;
	char **interfaces;
	uint32_t interface_count; /* 0: those of the default routes */
	enum hf_config_xdp_mode xdp_mode;
	char name[HF_CONFIG_NAME_MAX + 1];
	/* What tunnels come from, by family; family 0: whatever the route says. */
	struct hf_prefix source_ipv4;
	struct hf_prefix source_ipv6;
	struct hf_address gossip_address; /* family 0: that of the way to the seeds */
	uint32_t weight;
};

/* A node to ask for the cluster: a name or an address. */
struct hf_config_seed {
	char host[HF_CONFIG_NAME_MAX + 1];
	uint16_t port;
};

struct hf_config_cluster {
	struct {
		char *name;
		char *port;
		char *owners;
		char **seeds;
		uint32_t seed_count;
	} written;
	char *key_file; /* NULL: insecure */
	int insecure;	/* 0 or 1 */
	const char *name;
	uint16_t port;
	uint32_t owners; /* of each record */
	struct hf_config_seed seeds[HF_CONFIG_SEEDS_MAX];
	uint32_t seed_count;
};

/* How VIPs are announced through BIRD (bgp/). Times in ms. */
struct hf_config_bgp {
	struct {
		char *local_as;
		char *lease_time, *sync_timeout, *hold_down, *drain_time;
		char *drain_prepend, *drain_med;
		char *bird_socket, *include, *device;
	} written;
	char **peers;	     /* BIRD's names of the sessions that VIPs must be exported to */
	uint32_t peer_count; /* 0: all of BGP */
	const char *bird_socket, *include, *device;
	enum { HF_CONFIG_ON_ALL_DOWN_ANNOUNCE, HF_CONFIG_ON_ALL_DOWN_WITHDRAW } on_all_down;
	enum { HF_CONFIG_UCMP_ON, HF_CONFIG_UCMP_OFF } ucmp;
	uint32_t local_as; /* 0: nothing is announced by Holdfast */
	uint32_t lease_time, sync_timeout, hold_down, drain_time;
	uint32_t drain_prepend; /* how often */
	int64_t drain_med;	/* -1: none */
};

/* Where metrics are served: lbnode's at `port`, syncd's at the next one, lbbgp's after that. */
struct hf_config_metrics {
	struct {
		char *address, *port;
	} written;
	struct hf_address address;
	uint32_t port; /* 0: nowhere */
};

struct hf_config_tables {
	char *written_flows;
};

/* In seconds. */
struct hf_config_timeouts {
	char *tcp_embryonic;
	char *tcp_established;
	char *tcp_closing;
	char *udp_new;
	char *udp;
	char *drain;
};

struct hf_config {
	struct hf_config_cluster cluster;
	struct hf_config_node node;
	struct hf_config_tables tables;
	struct hf_config_timeouts written_timeouts;
	struct hf_config_bgp bgp;
	struct hf_config_metrics metrics;
	struct hf_config_service *services;
	uint32_t service_count;
	struct hf_config_pool *pools;
	uint32_t pool_count;
	uint32_t flows;
	struct {
		uint32_t tcp_embryonic, tcp_established, tcp_closing, udp_new, udp, drain;
	} timeouts;
};

/* One line: "FILE:LINE: KEY: what is wrong, and what is allowed". */
struct hf_config_error {
	char text[512];
};

/* Where a seed is: "HOST", "HOST:PORT", "[IPv6]:PORT"; `port` where it says none. False: no such
 * thing. */
bool hf_config_parse_seed(const char *text, uint16_t port, struct hf_config_seed *seed);

/* 0 with *config set, to be freed with hf_config_free(); or -ENOENT and the like when the file
 * can't be read, -EINVAL when it is not a good configuration, with *error saying why. */
int hf_config_load(const char *path, struct hf_config **config, struct hf_config_error *error);

void hf_config_free(struct hf_config *config);

/* The same on all nodes that would treat flows alike: of services, pools and backends. Not 0. */
uint64_t hf_config_digest(const struct hf_config *config);

const char *hf_config_protocol_name(enum hf_config_protocol protocol);
const char *hf_config_check_name(enum hf_config_check_type type);
const char *hf_config_encapsulation_name(enum hf_config_encapsulation encapsulation);

#endif
