// SPDX-License-Identifier: BSD-2-Clause
/* Configurations: whether one is good, and what would change if it were in force. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lbctl/cluster.h"
#include "lbctl/command.h"
#include "lbctl/table.h"
#include "lbnode/show_config.h"
#include "lib/keys.h"
#include "lib/log.h"
#include "lib/maglev.h"

#define DEFAULT_CONFIG "/etc/holdfast/holdfast.yaml"

/* NULL: error->text says why. */
static struct hf_config *load(const char *path, bool with_keys, struct hf_config_error *error)
{
	struct hf_config *config = NULL;
	struct hf_key_ring keys;

	if (hf_config_load(path, &config, error) < 0)
		return NULL;
	if (with_keys && config->cluster.key_file &&
	    hf_key_ring_read(config->cluster.key_file, &keys, error->text, sizeof(error->text)) <
		    0) {
		hf_config_free(config);
		return NULL;
	}
	return config;
}

/* The file that the running lbnode was started with. */
static void find_path(const struct hf_context *c, char *path, size_t size)
{
	json_t *cluster = hf_cluster_gather(c->instance, HF_PART_FACTS, NULL), *facts;

	snprintf(path, size, DEFAULT_CONFIG);
	facts = json_object_get(hf_cluster_local(cluster), "lbnode");
	if (facts)
		snprintf(path, size, "%s", hf_text(facts, "config_path"));
	json_decref(cluster);
}

int hf_command_check(const struct hf_context *c)
{
	struct hf_config_error error = { 0 };
	struct hf_config *config;
	char path[4096];
	json_t *said;

	if (c->word_count)
		snprintf(path, sizeof(path), "%s", c->words[0]);
	else
		find_path(c, path, sizeof(path));
	config = load(path, true, &error);
	said = json_pack("{s:o, s:b, s:o}", "file", hf_json_clean(path), "good", config != NULL,
			 "error", hf_json_clean(error.text));
	if (!hf_print_json(c, said) && config)
		hf_show_config(stdout, path, config);
	json_decref(said);
	if (!config) {
		fprintf(stderr, "%s\n", error.text);
		return HF_EXIT_WRONG;
	}
	hf_config_free(config);
	return HF_EXIT_FINE;
}

/* What lbnode said of a backend of the configuration's pool; NULL: it has none such. */
static const json_t *find_backend(const json_t *node, const struct hf_config_pool *pool,
				  const struct hf_config_backend *backend)
{
	json_t *b;
	size_t i;

	json_array_foreach (json_object_get(node, "backends"), i, b)
		if (strcmp(hf_text(b, "pool"), pool->name) == 0 &&
		    strcmp(hf_text(b, "name"), backend->name) == 0)
			return b;
	return NULL;
}

static const struct hf_config_pool *find_pool(const struct hf_config *config, const char *name)
{
	for (uint32_t p = 0; p < config->pool_count; p++)
		if (strcmp(config->pools[p].name, name) == 0)
			return &config->pools[p];
	return NULL;
}

static const struct hf_config_backend *find_in_pool(const struct hf_config_pool *pool,
						    const char *name)
{
	for (uint32_t b = 0; b < pool->backend_count; b++)
		if (strcmp(pool->backends[b].name, name) == 0)
			return &pool->backends[b];
	return NULL;
}

__attribute__((format(printf, 4, 5))) static void add(json_t *changes, const char *what,
						      int64_t flows, const char *format, ...)
{
	char text[400];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	json_array_append_new(changes, json_pack("{s:s, s:s, s:I}", "what", what, "change", text,
						 "flows", (json_int_t)flows));
}

static void diff_services(json_t *changes, const json_t *node, const struct hf_config *config)
{
	json_t *s;
	size_t i;

	for (uint32_t k = 0; k < config->service_count; k++) {
		const struct hf_config_service *x = &config->services[k];
		const char *pool = config->pools[x->pool].name;
		char address[HF_ADDRESS_TEXT];
		const json_t *now = NULL;

		hf_address_format(&x->address, address);
		json_array_foreach (json_object_get(node, "services"), i, s)
			if (strcmp(hf_text(s, "address"), address) == 0 &&
			    hf_number(s, "port") == x->port &&
			    strcmp(hf_text(s, "protocol"), hf_config_protocol_name(x->protocol)) ==
				    0)
				now = s;
		if (!now)
			add(changes, "service", 0, "+ %s port %u %s, pool %s", address, x->port,
			    hf_config_protocol_name(x->protocol), pool);
		else if (strcmp(hf_text(now, "pool"), pool) != 0)
			add(changes, "service", 0,
			    "~ %s port %u %s: pool %s, not %s any more; flows stay where they are",
			    address, x->port, hf_config_protocol_name(x->protocol), pool,
			    hf_text(now, "pool"));
		if (now)
			json_object_set_new((json_t *)now, "stays", json_true());
	}
	json_array_foreach (json_object_get(node, "services"), i, s)
		if (!hf_flag(s, "stays"))
			add(changes, "service", 0,
			    "- %s port %ld %s: its packets are left to the node's kernel",
			    hf_text(s, "address"), (long)hf_number(s, "port"),
			    hf_text(s, "protocol"));
}

static bool finds_members(const struct hf_config_pool *pool)
{
	return pool->discover.file || pool->discover.dns;
}

/* The share of slots whose choice would be another one, in percent; negative: not known. */
static double moved_slots(const json_t *node, const struct hf_config_pool *pool)
{
	const json_t *list = json_object_get(node, "backends");
	size_t have = json_array_size(list), i, now_count = 0, next_count = 0;
	struct hf_maglev_member *now = calloc(have + 1, sizeof(*now));
	struct hf_maglev_member *next = calloc(pool->backend_count + have + 1, sizeof(*next));
	uint16_t *slots = calloc(2UL * pool->table_size, sizeof(*slots));
	uint32_t moved = 0;
	double share = -1;
	json_t *b;

	if (!now || !next || !slots)
		goto out;
	json_array_foreach (list, i, b)
		if (strcmp(hf_text(b, "pool"), pool->name) == 0 && hf_number(b, "weight"))
			now[now_count++] = (struct hf_maglev_member){
				hf_text(b, "name"), (uint32_t)hf_number(b, "weight"), i + 1
			};
	for (uint32_t k = 0; k < pool->backend_count; k++) {
		const json_t *there = find_backend(node, pool, &pool->backends[k]);
		uint32_t weight = pool->backends[k].weight;
		size_t value = have + k + 1;

		/* What is down, or has another weight by an operator's word, stays so. */
		if (there && hf_number(there, "configured_weight") == weight)
			weight = (uint32_t)hf_number(there, "weight");
		json_array_foreach (list, i, b)
			if (b == there)
				value = i + 1;
		if (weight)
			next[next_count++] =
				(struct hf_maglev_member){ pool->backends[k].name, weight, value };
	}
	/* Members that the pool finds elsewhere stay. */
	json_array_foreach (list, i, b)
		if (finds_members(pool) && strcmp(hf_text(b, "pool"), pool->name) == 0 &&
		    !find_in_pool(pool, hf_text(b, "name")) && hf_number(b, "weight"))
			next[next_count++] = (struct hf_maglev_member){
				hf_text(b, "name"), (uint32_t)hf_number(b, "weight"), i + 1
			};
	if (!now_count || !next_count ||
	    hf_maglev_fill(now, now_count, slots, pool->table_size) < 0 ||
	    hf_maglev_fill(next, next_count, slots + pool->table_size, pool->table_size) < 0)
		goto out;
	for (uint32_t k = 0; k < pool->table_size; k++)
		moved += slots[k] != slots[pool->table_size + k];
	share = 100.0 * moved / pool->table_size;
out:
	free(slots);
	free(next);
	free(now);
	return share;
}

static int64_t pins_of(const json_t *cluster, const char *pool, const char *backend)
{
	int64_t sum = 0;
	json_t *node, *b;
	size_t i, k;

	json_array_foreach (json_object_get(cluster, "nodes"), i, node)
		json_array_foreach (json_object_get(node, "backends"), k, b)
			if (strcmp(hf_text(b, "pool"), pool) == 0 &&
			    (!backend || strcmp(hf_text(b, "name"), backend) == 0))
				sum += hf_number(b, "pins");
	return sum;
}

static void diff_pool(json_t *changes, const json_t *cluster, const json_t *node,
		      const struct hf_config_pool *pool)
{
	double moved;

	for (uint32_t b = 0; b < pool->backend_count; b++) {
		const struct hf_config_backend *next = &pool->backends[b];
		const json_t *now = find_backend(node, pool, next);
		char address[HF_ADDRESS_TEXT];

		hf_address_format(&next->address, address);
		if (!now)
			add(changes, "backend", 0, "+ %s/%s at %s, weight %u", pool->name,
			    next->name, address, next->weight);
		else if (strcmp(hf_text(now, "address"), address) != 0)
			add(changes, "backend", pins_of(cluster, pool->name, next->name),
			    "~ %s/%s at %s, not %s any more: that one's flows drain", pool->name,
			    next->name, address, hf_text(now, "address"));
		else if (strcmp(hf_text(now, "encapsulation"),
				hf_config_encapsulation_name(pool->encapsulation)) != 0)
			add(changes, "backend", pins_of(cluster, pool->name, next->name),
			    "~ %s/%s by %s, not %s any more: the flows of the former tunnel drain",
			    pool->name, next->name,
			    hf_config_encapsulation_name(pool->encapsulation),
			    hf_text(now, "encapsulation"));
		else if (hf_number(now, "configured_weight") != next->weight)
			add(changes, "backend", 0, "~ %s/%s weight %u, not %ld", pool->name,
			    next->name, next->weight, (long)hf_number(now, "configured_weight"));
	}
	moved = moved_slots(node, pool);
	if (moved > 0)
		add(changes, "pool", 0,
		    "~ %s: %.1f %% of its slots change: so many of the new flows go elsewhere than "
		    "they would have; the %ld that there are stay",
		    pool->name, moved, (long)pins_of(cluster, pool->name, NULL));
}

static void diff_leavers(json_t *changes, const json_t *cluster, const json_t *node,
			 const struct hf_config *config)
{
	json_t *b;
	size_t i;

	json_array_foreach (json_object_get(node, "backends"), i, b) {
		const struct hf_config_pool *pool = find_pool(config, hf_text(b, "pool"));

		if (pool && (find_in_pool(pool, hf_text(b, "name")) || finds_members(pool)))
			continue;
		add(changes, "backend", pins_of(cluster, hf_text(b, "pool"), hf_text(b, "name")),
		    "- %s/%s: its flows drain, for %u s at most", hf_text(b, "pool"),
		    hf_text(b, "name"), config->timeouts.drain);
	}
}

int hf_command_diff(const struct hf_context *c)
{
	struct hf_config_error error = { 0 };
	struct hf_config *config = load(c->words[0], false, &error);
	json_t *cluster, *node, *changes, *x;
	struct hf_table *t;
	char digest[24];
	size_t i;

	if (!config) {
		fprintf(stderr, "%s\n", error.text);
		return HF_EXIT_WRONG;
	}
	cluster = hf_cluster_gather(c->instance,
				    HF_PART_FACTS | HF_PART_SERVICES | HF_PART_BACKENDS, c->node);
	node = c->node ? hf_cluster_node(cluster, c->node) : hf_cluster_local(cluster);
	if (!node || !json_object_get(node, "backends")) {
		hf_error("lbnode does not answer, so what is in force is not known");
		hf_config_free(config);
		json_decref(cluster);
		return HF_EXIT_UNKNOWN;
	}
	changes = json_array();
	diff_services(changes, node, config);
	for (uint32_t p = 0; p < config->pool_count; p++)
		diff_pool(changes, cluster, node, &config->pools[p]);
	diff_leavers(changes, cluster, node, config);
	snprintf(digest, sizeof(digest), "0x%016" PRIx64, hf_config_digest(config));
	if (!json_array_size(changes) &&
	    strcmp(digest, hf_text(json_object_get(node, "lbnode"), "config")) != 0)
		add(changes, "pool", 0, "~ something else of services or pools: see the files");
	if (!hf_print_json(c, changes)) {
		t = hf_table_new("what", ">flows touched", "change", NULL);
		json_array_foreach (changes, i, x) {
			hf_table_cell(t, HF_PLAIN, "%s", hf_text(x, "what"));
			hf_table_cell(t, hf_number(x, "flows") ? HF_BAD : HF_PLAIN, "%ld",
				      (long)hf_number(x, "flows"));
			hf_table_cell(t, HF_PLAIN, "%s", hf_text(x, "change"));
		}
		if (json_array_size(changes))
			hf_table_print(t, stdout);
		else
			printf("nothing changes of services, pools and backends; other keys are "
			       "not compared\n");
	}
	i = json_array_size(changes);
	json_decref(changes);
	json_decref(cluster);
	hf_config_free(config);
	return i ? HF_EXIT_DEGRADED : HF_EXIT_FINE;
}
