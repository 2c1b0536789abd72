// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/discovery/discovery.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/discovery/source.h"
#include "lbnode/state_file.h"
#include "lib/log.h"

struct hf_discovery {
	const struct hf_config *config;
	const char *instance;
	void (*changed)(void *context);
	void *context;
	bool started;
	struct hf_found_list *lists;
	struct hf_source *sources;
	struct hf_file_source **files;
	struct hf_dns_source **dns;
};

static const char *source_name(const struct hf_source *source)
{
	const struct hf_config_discover *d = &source->pool->discover;

	return d->file ? d->file : d->dns;
}

static void state_name(const struct hf_source *source, char name[NAME_MAX])
{
	snprintf(name, NAME_MAX, "%s.members-%s", source->discovery->instance, source->pool->name);
}

static void keep(struct hf_source *source, const struct hf_found_list *list)
{
	char name[NAME_MAX];
	char *text = hf_found_format(list);
	int err = -ENOMEM;

	state_name(source, name);
	if (text)
		err = hf_state_save(name, (const uint8_t *)text, strlen(text));
	if (err)
		hf_warning("pool %s: can't keep its members: %s", source->pool->name,
			   strerror(-err));
	free(text);
}

void hf_source_take(struct hf_source *source, const struct hf_found *members, uint32_t count)
{
	struct hf_discovery *d = source->discovery;
	struct hf_found_list *list = &d->lists[source->index], next = { NULL, 0 };

	if (hf_found_set(&next, members, count) < 0) {
		hf_source_fail(source, "out of memory");
		return;
	}
	if (source->complained)
		hf_notice("pool %s: %s tells its members again", source->pool->name,
			  source_name(source));
	source->complained = false;
	if (hf_found_equal(&next, list)) {
		hf_found_clear(&next);
		return;
	}
	hf_notice("pool %s: %u members by %s, %u before", source->pool->name, next.count,
		  source_name(source), list->count);
	hf_found_clear(list);
	*list = next;
	keep(source, list);
	if (d->started)
		d->changed(d->context);
}

void hf_source_fail(struct hf_source *source, const char *why)
{
	uint32_t count = source->discovery->lists[source->index].count;

	if (source->complained)
		return;
	source->complained = true;
	hf_warning("pool %s: %s does not tell its members: %s; the %u that it told last stay",
		   source->pool->name, source_name(source), why, count);
}

static void remember(struct hf_source *source)
{
	struct hf_found_list *list = &source->discovery->lists[source->index];
	char name[NAME_MAX], why[128];
	char *text;
	size_t length;

	state_name(source, name);
	text = (char *)hf_state_load(name, &length);
	if (text)
		hf_found_parse(text, list, why, sizeof(why));
	free(text);
	if (source->pool->discover.file)
		hf_file_source_read(source);
}

struct hf_discovery *hf_discovery_new(const struct hf_config *config, const char *instance,
				      void (*changed)(void *context), void *context)
{
	struct hf_discovery *d = calloc(1, sizeof(*d));
	uint32_t count = config->pool_count;

	if (!d)
		return NULL;
	d->config = config;
	d->instance = instance;
	d->changed = changed;
	d->context = context;
	d->lists = calloc(count, sizeof(*d->lists));
	d->sources = calloc(count, sizeof(*d->sources));
	d->files = calloc(count, sizeof(struct hf_file_source *));
	d->dns = calloc(count, sizeof(struct hf_dns_source *));
	if (!d->lists || !d->sources || !d->files || !d->dns) {
		hf_discovery_delete(d);
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++) {
		d->sources[i] = (struct hf_source){ d, &config->pools[i], i, false };
		if (config->pools[i].discover.file || config->pools[i].discover.dns)
			remember(&d->sources[i]);
	}
	return d;
}

void hf_discovery_start(struct hf_discovery *d, uv_loop_t *loop)
{
	d->started = true;
	for (uint32_t i = 0; i < d->config->pool_count; i++) {
		if (d->config->pools[i].discover.file)
			d->files[i] = hf_file_source_new(&d->sources[i], loop);
		if (d->config->pools[i].discover.dns)
			d->dns[i] = hf_dns_source_new(&d->sources[i], loop);
	}
}

void hf_discovery_delete(struct hf_discovery *d)
{
	if (!d)
		return;
	for (uint32_t i = 0; i < d->config->pool_count; i++) {
		if (d->files && d->files[i])
			hf_file_source_delete(d->files[i]);
		if (d->dns && d->dns[i])
			hf_dns_source_delete(d->dns[i]);
		if (d->lists)
			hf_found_clear(&d->lists[i]);
	}
	free(d->lists);
	free(d->sources);
	free(d->files);
	free(d->dns);
	free(d);
}

const struct hf_found_list *hf_discovery_lists(const struct hf_discovery *d)
{
	return d->lists;
}
