// SPDX-License-Identifier: BSD-2-Clause
/* Any bytes as a configuration file: a configuration whose every field is in range, or one line of
 * error; never a crash, a leak or a hang. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/config.h"
#include "lib/maglev.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_pool(const struct hf_config_pool *pool)
{
	must(pool->name && pool->gue_port && pool->backend_count);
	must(hf_maglev_size_is_valid(pool->table_size) && pool->table_size >= pool->backend_count);
	for (uint32_t i = 0; i < pool->backend_count; i++) {
		must(pool->backends[i].weight >= 1);
		must(pool->backends[i].weight <= HF_MAGLEV_WEIGHT_MAX);
		must(hf_address_is_routable(&pool->backends[i].address));
	}
}

static void check(const struct hf_config *config)
{
	must(config->service_count && config->pool_count && config->node.name[0]);
	must(config->flows >= HF_CONFIG_FLOWS_MIN && config->flows <= HF_CONFIG_FLOWS_MAX);
	must(config->timeouts.udp >= 4 && config->timeouts.drain >= 4);
	for (uint32_t i = 0; i < config->pool_count; i++)
		check_pool(&config->pools[i]);
	for (uint32_t i = 0; i < config->service_count; i++)
		must(config->services[i].pool < config->pool_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	int fd = memfd_create("config", 0);
	struct hf_config_error error = { "" };
	struct hf_config *config = NULL;
	char path[32];

	must(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (hf_config_load(path, &config, &error) == 0)
		check(config);
	else
		must(!config && error.text[0] && !strchr(error.text, '\n'));
	hf_config_free(config);
	close(fd);
	return 0;
}
