// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/discovery/members.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/maglev.h"

#define LINE_MAX_LENGTH 256

void hf_found_name(const struct hf_address *address, char name[HF_CONFIG_NAME_MAX + 1])
{
	char text[HF_ADDRESS_TEXT];

	snprintf(name, HF_CONFIG_NAME_MAX + 1, "%s", hf_address_format(address, text));
	for (char *c = name; *c; c++)
		if (*c == ':')
			*c = '-';
}

static bool is_name(const char *text)
{
	size_t length = strlen(text);

	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("._-", text[i]))
			return false;
	return length && length <= HF_CONFIG_NAME_MAX;
}

/* NULL: good. */
static const char *parse_line(char *line, struct hf_found *m)
{
	char *save = NULL, *words[4], *end;
	int count = 0;

	while (count < 4 && (words[count] = strtok_r(count ? NULL : line, " \t\r", &save)))
		count++;
	if (count > 3)
		return "more than a name, an address and a weight";
	if (hf_address_parse(words[count > 1], &m->address) < 0 ||
	    !hf_address_is_routable(&m->address))
		return "no IPv4 or IPv6 address that a backend could have";
	m->weight = HF_CONFIG_WEIGHT_DEFAULT;
	if (count < 2) {
		hf_found_name(&m->address, m->name);
		return NULL;
	}
	if (!is_name(words[0]))
		return "no name; use 1 to 63 letters, digits, '.', '_' or '-'";
	snprintf(m->name, sizeof(m->name), "%s", words[0]);
	if (count < 3)
		return NULL;
	m->weight = strtoul(words[2], &end, 10);
	if (*end || !isdigit((unsigned char)words[2][0]) || m->weight < 1 ||
	    m->weight > HF_MAGLEV_WEIGHT_MAX)
		return "no weight; use 1 to 65535";
	return NULL;
}

static int order_addresses(const void *a, const void *b)
{
	return memcmp(&((const struct hf_found *)a)->address,
		      &((const struct hf_found *)b)->address, sizeof(struct hf_address));
}

static int order_names(const void *a, const void *b)
{
	return strcmp(((const struct hf_found *)a)->name, ((const struct hf_found *)b)->name);
}

/* Of two of one name, or one address, the first stays. */
static uint32_t drop_twins(struct hf_found *m, uint32_t count,
			   int (*order)(const void *, const void *))
{
	uint32_t kept = 0;

	qsort(m, count, sizeof(*m), order);
	for (uint32_t i = 0; i < count; i++)
		if (!kept || order(&m[kept - 1], &m[i]) != 0)
			m[kept++] = m[i];
	return kept;
}

int hf_found_set(struct hf_found_list *list, const struct hf_found *members, uint32_t count)
{
	struct hf_found *copy;

	if (!count)
		return -ENODATA;
	copy = malloc(count * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, members, count * sizeof(*copy));
	count = drop_twins(copy, count, order_names);
	count = drop_twins(copy, count, order_addresses);
	hf_found_clear(list);
	list->member = copy;
	list->count = count;
	return 0;
}

static int parse_lines(char *text, struct hf_found *members, uint32_t *count, char *why,
		       size_t size)
{
	uint32_t number = 0;
	char *next;

	for (char *line = text; line; line = next) {
		const char *fault;

		number++;
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		line[strcspn(line, "#")] = '\0';
		if (!line[strspn(line, " \t\r")])
			continue;
		fault = strlen(line) > LINE_MAX_LENGTH ? "too long"
						       : parse_line(line, &members[*count]);
		if (fault) {
			snprintf(why, size, "line %u: %s", number, fault);
			return -EINVAL;
		}
		++*count;
	}
	return 0;
}

int hf_found_parse(const char *text, struct hf_found_list *list, char *why, size_t size)
{
	uint32_t lines = 1, count = 0;
	struct hf_found *members;
	char *copy = strdup(text);
	int err = -ENOMEM;

	for (const char *c = text; *c; c++)
		lines += *c == '\n';
	members = calloc(lines, sizeof(*members));
	if (copy && members)
		err = parse_lines(copy, members, &count, why, size);
	if (!err)
		err = hf_found_set(list, members, count);
	free(members);
	free(copy);
	return err;
}

char *hf_found_format(const struct hf_found_list *list)
{
	const size_t most = HF_CONFIG_NAME_MAX + HF_ADDRESS_TEXT + 16;
	char *text = malloc(list->count * most + 1), address[HF_ADDRESS_TEXT];
	size_t used = 0;

	if (!text)
		return NULL;
	text[0] = '\0';
	for (uint32_t i = 0; i < list->count; i++)
		used += snprintf(text + used, most, "%s %s %u\n", list->member[i].name,
				 hf_address_format(&list->member[i].address, address),
				 list->member[i].weight);
	return text;
}

bool hf_found_equal(const struct hf_found_list *a, const struct hf_found_list *b)
{
	if (a->count != b->count)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (strcmp(a->member[i].name, b->member[i].name) != 0 ||
		    !hf_address_equal(&a->member[i].address, &b->member[i].address) ||
		    a->member[i].weight != b->member[i].weight)
			return false;
	return true;
}

void hf_found_clear(struct hf_found_list *list)
{
	free(list->member);
	*list = (struct hf_found_list){ NULL, 0 };
}

static bool is_vip(const struct hf_config *config, const struct hf_address *address)
{
	for (uint32_t i = 0; i < config->service_count; i++)
		if (hf_address_equal(&config->services[i].address, address))
			return true;
	return false;
}

static bool is_listed(const struct hf_config_pool *pool, const struct hf_found *m)
{
	for (uint32_t i = 0; i < pool->backend_count; i++)
		if (hf_address_equal(&pool->backends[i].address, &m->address) ||
		    strcmp(pool->backends[i].name, m->name) == 0)
			return true;
	return false;
}

static bool has_source(const struct hf_config_node *node, uint32_t family)
{
	return !node->written.address_count ||
	       (family == 4 ? node->source_ipv4 : node->source_ipv6).address.family;
}

/* The list may change while its members are in use: so their names stand behind the array. */
static bool add_members(const struct hf_config *config, struct hf_config_pool *pool,
			const struct hf_found_list *list, uint32_t *left_out)
{
	struct hf_config_pool listed = *pool;
	uint32_t count = pool->backend_count;
	size_t room = (count + list->count + 1) * sizeof(struct hf_config_backend);
	struct hf_config_backend *all = calloc(1, room + list->count * sizeof(list->member->name));
	char *name = (char *)all + room;

	pool->backends = all;
	if (!all)
		return false;
	if (count)
		memcpy(all, listed.backends, count * sizeof(*all));
	for (uint32_t i = 0; i < list->count; i++) {
		const struct hf_found *m = &list->member[i];

		if (is_listed(&listed, m))
			continue;
		if (count >= pool->table_size || is_vip(config, &m->address) ||
		    !has_source(&config->node, m->address.family)) {
			++*left_out;
			continue;
		}
		memcpy(name, m->name, sizeof(m->name));
		all[count++] = (struct hf_config_backend){
			.name = name,
			.address = m->address,
			.weight = m->weight,
		};
		name += sizeof(m->name);
	}
	pool->backend_count = count;
	return true;
}

struct hf_config *hf_members_new(const struct hf_config *config, const struct hf_found_list *lists,
				 uint32_t *left_out)
{
	struct hf_config *members = malloc(sizeof(*members));
	bool good = true;

	*left_out = 0;
	if (!members)
		return NULL;
	*members = *config;
	members->pools = calloc(config->pool_count, sizeof(*members->pools));
	if (!members->pools) {
		free(members);
		return NULL;
	}
	memcpy(members->pools, config->pools, config->pool_count * sizeof(*members->pools));
	for (uint32_t i = 0; i < config->pool_count; i++) {
		if (good)
			good = add_members(config, &members->pools[i], &lists[i], left_out);
		else
			members->pools[i].backends = NULL;
	}
	if (good)
		return members;
	hf_members_delete(members);
	return NULL;
}

void hf_members_delete(struct hf_config *members)
{
	if (!members)
		return;
	for (uint32_t i = 0; i < members->pool_count; i++)
		free(members->pools[i].backends);
	free(members->pools);
	free(members);
}
