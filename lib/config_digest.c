// SPDX-License-Identifier: BSD-2-Clause
#include <sodium.h>
#include <string.h>

#include "lib/config.h"

static const unsigned char key[crypto_generichash_BYTES_MIN] = "holdfast config";

static void add(crypto_generichash_state *state, const void *bytes, size_t size)
{
	crypto_generichash_update(state, bytes, size);
}

/* With its end, so that two texts can't pass for other two. */
static void add_text(crypto_generichash_state *state, const char *text)
{
	add(state, text, strlen(text) + 1);
}

static void add_address(crypto_generichash_state *state, const struct hf_address *address)
{
	add(state, &address->family, sizeof(address->family));
	add(state, address->word, sizeof(address->word));
}

static void add_pool(crypto_generichash_state *state, const struct hf_config_pool *pool)
{
	const uint32_t numbers[] = { pool->encapsulation, pool->gue_port, pool->table_size,
				     pool->last_chance, pool->backend_count };

	add_text(state, pool->name);
	add(state, numbers, sizeof(numbers));
	for (uint32_t i = 0; i < pool->backend_count; i++) {
		add_text(state, pool->backends[i].name);
		add_address(state, &pool->backends[i].address);
		add(state, &pool->backends[i].weight, sizeof(pool->backends[i].weight));
	}
}

uint64_t hf_config_digest(const struct hf_config *config)
{
	unsigned char hash[crypto_generichash_BYTES_MIN];
	crypto_generichash_state state;
	uint64_t digest;

	crypto_generichash_init(&state, key, sizeof(key), sizeof(hash));
	for (uint32_t i = 0; i < config->service_count; i++) {
		const struct hf_config_service *s = &config->services[i];
		const uint32_t numbers[] = { s->protocol, s->stateless, s->port };

		add_address(&state, &s->address);
		add(&state, numbers, sizeof(numbers));
		add_text(&state, config->pools[s->pool].name);
	}
	for (uint32_t i = 0; i < config->pool_count; i++)
		add_pool(&state, &config->pools[i]);
	crypto_generichash_final(&state, hash, sizeof(hash));
	memcpy(&digest, hash, sizeof(digest));
	return digest ? digest : 1;
}
