// SPDX-License-Identifier: BSD-2-Clause
/* The keys of the configuration file and their nesting. Numbers are read as text: the library would
 * take 1.5 for 1 and 0100 for 64. They, and all ranges, are config_check.c's. */
#include "lib/config_internal.h"

#include <stddef.h>

#define STRING(key, type, member) \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER, type, member, 1, CYAML_UNLIMITED)
#define OPTIONAL_STRING(key, type, member)                                                     \
	CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, type, member, 1, \
			       CYAML_UNLIMITED)
#define CHOICE(key, flags, type, member, strings)                                 \
	CYAML_FIELD_ENUM(key, (flags) | CYAML_FLAG_STRICT, type, member, strings, \
			 CYAML_ARRAY_LEN(strings))

static const cyaml_strval_t protocols[] = {
	{ "tcp", HF_CONFIG_TCP },
	{ "udp", HF_CONFIG_UDP },
};

static const cyaml_strval_t encapsulations[] = {
	{ "ipip", HF_CONFIG_IPIP },
	{ "gue", HF_CONFIG_GUE },
};

static const cyaml_strval_t xdp_modes[] = {
	{ "native", HF_CONFIG_XDP_NATIVE },
	{ "generic", HF_CONFIG_XDP_GENERIC },
};

/* Not the library's own, which takes "flase" for true. */
static const cyaml_strval_t booleans[] = {
	{ "false", false },
	{ "true", true },
};

/* Of which the default depends on something else. */
static const cyaml_strval_t choices[] = {
	{ "false", HF_CONFIG_NO },
	{ "true", HF_CONFIG_YES },
};

static const cyaml_schema_value_t string_entry = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_strval_t check_types[] = {
	{ "tcp", HF_CONFIG_CHECK_TCP },	    { "http", HF_CONFIG_CHECK_HTTP },
	{ "https", HF_CONFIG_CHECK_HTTPS }, { "udp", HF_CONFIG_CHECK_UDP },
	{ "dns", HF_CONFIG_CHECK_DNS },	    { "command", HF_CONFIG_CHECK_COMMAND },
};

static const cyaml_strval_t ways_through[] = {
	{ "address", HF_CONFIG_THROUGH_ADDRESS },
	{ "tunnel", HF_CONFIG_THROUGH_TUNNEL },
};

static const cyaml_strval_t dns_types[] = {
	{ "address", HF_CONFIG_DNS_ADDRESS },
	{ "srv", HF_CONFIG_DNS_SRV },
};

static const cyaml_schema_field_t discover_fields[] = {
	OPTIONAL_STRING("file", struct hf_config_discover, file),
	OPTIONAL_STRING("dns", struct hf_config_discover, dns),
	CHOICE("type", CYAML_FLAG_OPTIONAL, struct hf_config_discover, type, dns_types),
	OPTIONAL_STRING("server", struct hf_config_discover, server),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t check_fields[] = {
	CHOICE("type", CYAML_FLAG_DEFAULT, struct hf_config_check, type, check_types),
	CHOICE("through", CYAML_FLAG_OPTIONAL, struct hf_config_check, through, ways_through),
	OPTIONAL_STRING("interval", struct hf_config_check, written.interval),
	OPTIONAL_STRING("timeout", struct hf_config_check, written.timeout),
	OPTIONAL_STRING("fall", struct hf_config_check, written.fall),
	OPTIONAL_STRING("rise", struct hf_config_check, written.rise),
	OPTIONAL_STRING("port", struct hf_config_check, written.port),
	OPTIONAL_STRING("path", struct hf_config_check, path),
	OPTIONAL_STRING("host", struct hf_config_check, host),
	OPTIONAL_STRING("status", struct hf_config_check, written.status),
	OPTIONAL_STRING("body", struct hf_config_check, body),
	OPTIONAL_STRING("send", struct hf_config_check, send),
	OPTIONAL_STRING("expect", struct hf_config_check, expect),
	OPTIONAL_STRING("query", struct hf_config_check, query),
	CYAML_FIELD_SEQUENCE_COUNT("command", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				   struct hf_config_check, command, command_count, &string_entry, 1,
				   64),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t backend_fields[] = {
	STRING("name", struct hf_config_backend, written.name),
	STRING("address", struct hf_config_backend, written.address),
	OPTIONAL_STRING("weight", struct hf_config_backend, written.weight),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t backend_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct hf_config_backend, backend_fields),
};

static const cyaml_schema_field_t pool_fields[] = {
	STRING("name", struct hf_config_pool, written.name),
	CHOICE("encapsulation", CYAML_FLAG_OPTIONAL, struct hf_config_pool, encapsulation,
	       encapsulations),
	OPTIONAL_STRING("gue_port", struct hf_config_pool, written.gue_port),
	OPTIONAL_STRING("table_size", struct hf_config_pool, written.table_size),
	OPTIONAL_STRING("min_backends", struct hf_config_pool, written.min_backends),
	CHOICE("last_chance", CYAML_FLAG_OPTIONAL, struct hf_config_pool, written.last_chance,
	       choices),
	OPTIONAL_STRING("slow_start", struct hf_config_pool, written.slow_start),
	OPTIONAL_STRING("panic_threshold", struct hf_config_pool, written.panic_threshold),
	CYAML_FIELD_MAPPING("check", CYAML_FLAG_OPTIONAL, struct hf_config_pool, check,
			    check_fields),
	CYAML_FIELD_MAPPING("discover", CYAML_FLAG_OPTIONAL, struct hf_config_pool, discover,
			    discover_fields),
	CYAML_FIELD_SEQUENCE_COUNT("backends", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				   struct hf_config_pool, backends, backend_count, &backend_entry,
				   1, HF_CONFIG_BACKENDS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t pool_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct hf_config_pool, pool_fields),
};

static const cyaml_schema_field_t service_fields[] = {
	STRING("address", struct hf_config_service, written.address),
	STRING("port", struct hf_config_service, written.port),
	CHOICE("protocol", CYAML_FLAG_DEFAULT, struct hf_config_service, protocol, protocols),
	STRING("pool", struct hf_config_service, written.pool),
	CHOICE("stateless", CYAML_FLAG_OPTIONAL, struct hf_config_service, stateless, booleans),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t service_entry = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct hf_config_service, service_fields),
};

static const cyaml_schema_field_t node_fields[] = {
	OPTIONAL_STRING("name", struct hf_config_node, written.name),
	CYAML_FIELD_SEQUENCE_COUNT("interfaces", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				   struct hf_config_node, interfaces, interface_count,
				   &string_entry, 1, 64),
	CHOICE("xdp_mode", CYAML_FLAG_OPTIONAL, struct hf_config_node, xdp_mode, xdp_modes),
	CYAML_FIELD_SEQUENCE_COUNT("addresses", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				   struct hf_config_node, written.addresses, written.address_count,
				   &string_entry, 1, 2),
	OPTIONAL_STRING("gossip_address", struct hf_config_node, written.gossip_address),
	OPTIONAL_STRING("weight", struct hf_config_node, written.weight),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t cluster_fields[] = {
	OPTIONAL_STRING("name", struct hf_config_cluster, written.name),
	OPTIONAL_STRING("port", struct hf_config_cluster, written.port),
	OPTIONAL_STRING("owners", struct hf_config_cluster, written.owners),
	CYAML_FIELD_SEQUENCE_COUNT("seeds", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				   struct hf_config_cluster, written.seeds, written.seed_count,
				   &string_entry, 1, HF_CONFIG_SEEDS_MAX),
	OPTIONAL_STRING("key_file", struct hf_config_cluster, key_file),
	CHOICE("insecure", CYAML_FLAG_OPTIONAL, struct hf_config_cluster, insecure, booleans),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t tables_fields[] = {
	OPTIONAL_STRING("flows", struct hf_config_tables, written_flows),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t timeouts_fields[] = {
	OPTIONAL_STRING("tcp_embryonic", struct hf_config_timeouts, tcp_embryonic),
	OPTIONAL_STRING("tcp_established", struct hf_config_timeouts, tcp_established),
	OPTIONAL_STRING("tcp_closing", struct hf_config_timeouts, tcp_closing),
	OPTIONAL_STRING("udp_new", struct hf_config_timeouts, udp_new),
	OPTIONAL_STRING("udp", struct hf_config_timeouts, udp),
	OPTIONAL_STRING("drain", struct hf_config_timeouts, drain),
	CYAML_FIELD_END,
};

static const cyaml_strval_t on_all_down[] = {
	{ "announce", HF_CONFIG_ON_ALL_DOWN_ANNOUNCE },
	{ "withdraw", HF_CONFIG_ON_ALL_DOWN_WITHDRAW },
};

static const cyaml_strval_t ucmp[] = {
	{ "true", HF_CONFIG_UCMP_ON },
	{ "false", HF_CONFIG_UCMP_OFF },
};

static const cyaml_schema_field_t bgp_fields[] = {
	STRING("local_as", struct hf_config_bgp, written.local_as),
	CYAML_FIELD_SEQUENCE_COUNT("peers", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL,
				   struct hf_config_bgp, peers, peer_count, &string_entry, 1,
				   HF_CONFIG_PEERS_MAX),
	OPTIONAL_STRING("bird_socket", struct hf_config_bgp, written.bird_socket),
	OPTIONAL_STRING("include", struct hf_config_bgp, written.include),
	OPTIONAL_STRING("device", struct hf_config_bgp, written.device),
	OPTIONAL_STRING("lease_time", struct hf_config_bgp, written.lease_time),
	OPTIONAL_STRING("sync_timeout", struct hf_config_bgp, written.sync_timeout),
	OPTIONAL_STRING("hold_down", struct hf_config_bgp, written.hold_down),
	OPTIONAL_STRING("drain_time", struct hf_config_bgp, written.drain_time),
	OPTIONAL_STRING("drain_prepend", struct hf_config_bgp, written.drain_prepend),
	OPTIONAL_STRING("drain_med", struct hf_config_bgp, written.drain_med),
	CHOICE("on_all_down", CYAML_FLAG_OPTIONAL, struct hf_config_bgp, on_all_down, on_all_down),
	CHOICE("ucmp", CYAML_FLAG_OPTIONAL, struct hf_config_bgp, ucmp, ucmp),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t metrics_fields[] = {
	OPTIONAL_STRING("address", struct hf_config_metrics, written.address),
	OPTIONAL_STRING("port", struct hf_config_metrics, written.port),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t config_fields[] = {
	CYAML_FIELD_MAPPING("cluster", CYAML_FLAG_DEFAULT, struct hf_config, cluster,
			    cluster_fields),
	CYAML_FIELD_MAPPING("node", CYAML_FLAG_OPTIONAL, struct hf_config, node, node_fields),
	CYAML_FIELD_MAPPING("tables", CYAML_FLAG_OPTIONAL, struct hf_config, tables, tables_fields),
	CYAML_FIELD_MAPPING("timeouts", CYAML_FLAG_OPTIONAL, struct hf_config, written_timeouts,
			    timeouts_fields),
	CYAML_FIELD_MAPPING("bgp", CYAML_FLAG_OPTIONAL, struct hf_config, bgp, bgp_fields),
	CYAML_FIELD_MAPPING("metrics", CYAML_FLAG_OPTIONAL, struct hf_config, metrics,
			    metrics_fields),
	CYAML_FIELD_SEQUENCE_COUNT("services", CYAML_FLAG_POINTER, struct hf_config, services,
				   service_count, &service_entry, 1, HF_CONFIG_SERVICES_MAX),
	CYAML_FIELD_SEQUENCE_COUNT("pools", CYAML_FLAG_POINTER, struct hf_config, pools, pool_count,
				   &pool_entry, 1, HF_CONFIG_POOLS_MAX),
	CYAML_FIELD_END,
};

const cyaml_schema_value_t hf_config_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct hf_config, config_fields),
};
