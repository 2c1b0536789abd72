// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/node_take.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "lib/node_protocol.h"
#include "proto/node.pb-c.h"
#include "proto/notice.h"

#define EXPORT_MOST 4096 /* records a packet */

static void read_hello(const Holdfast__NodeHello *message, struct hf_node_hello *hello)
{
	*hello = (struct hf_node_hello){
		.protocol = message->protocol,
		.config = message->config,
		.tables = message->tables,
		.serving = message->serving,
	};
	snprintf(hello->program, sizeof(hello->program), "%s", message->program);
	for (char *c = hello->program; *c; c++)
		if (!isprint((unsigned char)*c))
			*c = '?';
}

static enum hf_node_taken take_export(struct hf_sync *sync, const Holdfast__Export *message,
				      struct hf_node_news *news, hf_time now)
{
	struct hf_record records[EXPORT_MOST];
	int count =
		hf_records_unpack(message->packed.data, message->packed.len, records, EXPORT_MOST);
	uint32_t sent, stamp = hf_sync_stamp(sync, now);

	if (count < 0)
		return HF_NODE_REFUSED;
	/* Ages count from now: the cluster's clock is known to syncd alone. */
	memcpy(&sent, message->packed.data + 1, sizeof(sent));
	for (int i = 0; i < count; i++) {
		uint32_t age = sent - records[i].stamp;

		records[i].stamp = age < stamp ? stamp - age : 0;
	}
	hf_sync_export(sync, records, count, now);
	news->exported = count;
	return HF_NODE_TAKEN;
}

static enum hf_node_taken take_post(struct hf_sync *sync, const Holdfast__Post *message,
				    hf_time now)
{
	struct hf_notice notices[HF_SYNC_POST_MAX];

	if (message->n_notices > HF_SYNC_POST_MAX)
		return HF_NODE_REFUSED;
	for (size_t i = 0; i < message->n_notices; i++)
		if (!hf_notice_read(message->notices[i], &notices[i]))
			return HF_NODE_REFUSED;
	hf_sync_post(sync, notices, message->n_notices, now);
	return HF_NODE_TAKEN;
}

static enum hf_node_taken take_ask(const Holdfast__Ask *ask, struct hf_node_news *news)
{
	int count = hf_digests_unpack(ask->digests.data, ask->digests.len, news->digests,
				      HF_SYNC_LOOKUP_MAX);

	if (count < 1)
		return HF_NODE_REFUSED;
	news->ticket = ask->ticket;
	news->digest_count = count;
	return HF_NODE_ASKS;
}

static enum hf_node_taken take(struct hf_sync *sync, const Holdfast__ToSync *message,
			       bool is_lbnode, struct hf_node_news *news, hf_time now)
{
	switch (message->body_case) {
	case HOLDFAST__TO_SYNC__BODY_HELLO:
		read_hello(message->hello, &news->hello);
		return news->hello.protocol == HF_NODE_PROTOCOL ? HF_NODE_GREETED : HF_NODE_VERSION;
	case HOLDFAST__TO_SYNC__BODY_STATE:
		read_hello(message->state, &news->hello);
		return is_lbnode ? HF_NODE_STATE : HF_NODE_REFUSED;
	case HOLDFAST__TO_SYNC__BODY_EXPORT:
		return is_lbnode ? take_export(sync, message->export, news, now) : HF_NODE_REFUSED;
	case HOLDFAST__TO_SYNC__BODY_ASK:
		return take_ask(message->ask, news);
	case HOLDFAST__TO_SYNC__BODY_POST:
		return is_lbnode ? take_post(sync, message->post, now) : HF_NODE_REFUSED;
	case HOLDFAST__TO_SYNC__BODY_STATUS:
		return HF_NODE_ASKED;
	case HOLDFAST__TO_SYNC__BODY_CALL:
	case HOLDFAST__TO_SYNC__BODY_LOG:
	case HOLDFAST__TO_SYNC__BODY_RELOAD:
		return HF_NODE_OTHER;
	case HOLDFAST__TO_SYNC__BODY__NOT_SET:
	default:
		return HF_NODE_TAKEN; /* of a later version */
	}
}

enum hf_node_taken hf_node_take(struct hf_sync *sync, const uint8_t *packet, size_t length,
				bool is_lbnode, struct hf_node_news *news, hf_time now)
{
	Holdfast__ToSync *message = holdfast__to_sync__unpack(NULL, length, packet);
	enum hf_node_taken taken = HF_NODE_REFUSED;

	memset(news, 0, sizeof(*news));
	if (message)
		taken = take(sync, message, is_lbnode, news, now);
	holdfast__to_sync__free_unpacked(message, NULL);
	return taken;
}
