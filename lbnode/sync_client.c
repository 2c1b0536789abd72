// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/sync_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/log.h"
#include "proto/node.pb-c.h"
#include "proto/notice.h"

#define RETRY_MS       100
#define PACKETS_A_TURN 64
#define ANSWER_MS      2000 /* syncd answers sooner, or never */
#define SEND_BUFFER    (1 << 20)
/* Ages are counted back from here. */
#define BATCH_STAMP 0x10000

static bool is_connected(const struct hf_sync_client *c)
{
	return c->fd >= 0;
}

static void on_retry(uv_timer_t *timer);

static void on_closed(uv_handle_t *handle)
{
	struct hf_sync_client *c = handle->data;

	close(c->fd);
	c->fd = -1;
	if (!uv_is_closing((uv_handle_t *)&c->retry))
		uv_timer_start(&c->retry, on_retry, RETRY_MS, 0);
}

static void end(struct hf_sync_client *c, const char *why)
{
	if (uv_is_closing((uv_handle_t *)&c->poll))
		return;
	if (c->greeted)
		hf_warning("syncd has gone: %s; flows are not shared with other nodes until it is "
			   "back",
			   why);
	c->greeted = c->sharing->open = false;
	c->credit = c->batch_count = c->asking.count = 0;
	memset(c->asked, 0, sizeof(c->asked));
	c->calls.connected(c->calls.context, false);
	uv_close((uv_handle_t *)&c->poll, on_closed);
}

/* False: not now. */
static bool send_message(struct hf_sync_client *c, const Holdfast__ToSync *message)
{
	size_t length = holdfast__to_sync__get_packed_size(message);

	if (!is_connected(c) || uv_is_closing((uv_handle_t *)&c->poll) ||
	    length > sizeof(c->packet))
		return false;
	holdfast__to_sync__pack(message, c->packet);
	if (send(c->fd, c->packet, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK)
		end(c, strerror(errno));
	return false;
}

static bool send_hello(struct hf_sync_client *c, bool first)
{
	Holdfast__ToSync message = HOLDFAST__TO_SYNC__INIT;
	Holdfast__NodeHello hello = HOLDFAST__NODE_HELLO__INIT;

	hello.protocol = HF_NODE_PROTOCOL;
	hello.program = "lbnode " HF_VERSION;
	hello.config = c->config;
	hello.tables = c->tables;
	hello.serving = c->serving;
	message.body_case = first ? HOLDFAST__TO_SYNC__BODY_HELLO : HOLDFAST__TO_SYNC__BODY_STATE;
	if (first)
		message.hello = &hello;
	else
		message.state = &hello;
	return send_message(c, &message);
}

static void flush_batch(struct hf_sync_client *c)
{
	Holdfast__ToSync message = HOLDFAST__TO_SYNC__INIT;
	Holdfast__Export body = HOLDFAST__EXPORT__INIT;
	uint8_t packed[HF_PACKED_SIZE(HF_CLIENT_BATCH)];

	if (!c->batch_count)
		return;
	body.packed.data = packed;
	body.packed.len = hf_records_pack(c->batch, c->batch_count, BATCH_STAMP, packed);
	message.body_case = HOLDFAST__TO_SYNC__BODY_EXPORT;
	message.export = &body;
	if (send_message(c, &message))
		c->batch_count = 0;
}

bool hf_sync_client_export(struct hf_sync_client *c, const struct hf_record *record,
			   bool is_exception)
{
	if (!c->greeted || (!c->credit && !is_exception))
		return false;
	if (c->batch_count == HF_CLIENT_BATCH)
		flush_batch(c);
	if (c->batch_count == HF_CLIENT_BATCH || !c->greeted)
		return false;
	c->batch[c->batch_count] = *record;
	c->batch[c->batch_count++].stamp = BATCH_STAMP - record->stamp;
	if (c->credit)
		c->credit--;
	return true;
}

static struct hf_asked *find_asked(struct hf_sync_client *c, uint32_t ticket)
{
	int64_t now = uv_now(c->loop);

	for (int i = 0; i < HF_CLIENT_ASKS; i++) {
		if (c->asked[i].ticket && now - c->asked[i].at > ANSWER_MS)
			c->asked[i].ticket = 0;
		if (c->asked[i].ticket == ticket)
			return &c->asked[i];
	}
	return NULL;
}

/* What can't be sent now will be asked again, by the flow's next packet. */
static void flush_questions(struct hf_sync_client *c)
{
	Holdfast__ToSync message = HOLDFAST__TO_SYNC__INIT;
	Holdfast__Ask body = HOLDFAST__ASK__INIT;
	uint64_t digests[HF_CLIENT_ASK];
	uint8_t packed[HF_CLIENT_ASK * HF_PACKED_DIGEST];
	struct hf_asked *asked = c->asking.count ? find_asked(c, 0) : NULL;

	if (asked) {
		*asked = c->asking;
		for (uint32_t i = 0; i < asked->count; i++)
			digests[i] = asked->question[i].digest;
		asked->ticket = ++c->last_ticket ? c->last_ticket : ++c->last_ticket;
		asked->at = uv_now(c->loop);
		body.ticket = asked->ticket;
		body.digests.data = packed;
		body.digests.len = hf_digests_pack(digests, asked->count, packed);
		message.body_case = HOLDFAST__TO_SYNC__BODY_ASK;
		message.ask = &body;
		if (send_message(c, &message))
			c->sharing->counters[HF_SHARING_FLOWS_ASKED] += asked->count;
		else
			asked->ticket = 0;
	}
	c->asking.count = 0;
}

void hf_sync_client_ask(struct hf_sync_client *c, const struct hf_question *question)
{
	if (!c->greeted)
		return;
	if (c->asking.count == HF_CLIENT_ASK)
		flush_questions(c);
	c->asking.question[c->asking.count++] = *question;
}

static bool send_notices(struct hf_sync_client *c, Holdfast__Notice **list, uint32_t count)
{
	Holdfast__ToSync message = HOLDFAST__TO_SYNC__INIT;
	Holdfast__Post body = HOLDFAST__POST__INIT;

	body.notices = list;
	body.n_notices = count;
	message.body_case = HOLDFAST__TO_SYNC__BODY_POST;
	message.post = &body;
	return !count || send_message(c, &message);
}

void hf_sync_client_post(struct hf_sync_client *c, const struct hf_notice *notice)
{
	Holdfast__Notice message, *list = &message;

	if (!c->greeted || c->board_due)
		return;
	hf_notice_write(&message, notice);
	c->board_due = !send_notices(c, &list, 1);
}

static void post_all(struct hf_sync_client *c)
{
	const struct hf_board *board = c->calls.all(c->calls.context);
	Holdfast__Notice messages[HF_CLIENT_NOTICES], *list[HF_CLIENT_NOTICES];
	const struct hf_notice *notice;
	uint64_t cursor = 0;
	uint32_t count = 0;
	bool sent = true;

	while (sent && (notice = hf_board_next(board, &cursor))) {
		hf_notice_write(&messages[count], notice);
		list[count] = &messages[count];
		if (++count < HF_CLIENT_NOTICES)
			continue;
		sent = send_notices(c, list, count);
		count = 0;
	}
	c->board_due = !sent || !send_notices(c, list, count);
}

void hf_sync_client_flush(struct hf_sync_client *c)
{
	if (c->state_due && c->greeted && send_hello(c, false))
		c->state_due = false;
	if (c->board_due && c->greeted)
		post_all(c);
	flush_batch(c);
	flush_questions(c);
}

void hf_sync_client_set_state(struct hf_sync_client *c, uint64_t config, uint64_t tables,
			      bool serving)
{
	if (c->config == config && c->tables == tables && c->serving == serving)
		return;
	c->config = config;
	c->tables = tables;
	c->serving = serving;
	c->state_due = true;
	hf_sync_client_flush(c);
}

static void take_board(struct hf_sync_client *c, const Holdfast__Board *board)
{
	struct hf_notice notices[HF_CLIENT_NOTICES];
	uint32_t count = 0;

	for (size_t i = 0; i < board->n_notices; i++) {
		if (!hf_notice_read(board->notices[i], &notices[count]))
			continue;
		if (++count == HF_CLIENT_NOTICES) {
			c->calls.board(c->calls.context, board->clock, notices, count);
			count = 0;
		}
	}
	c->calls.board(c->calls.context, board->clock, notices, count);
}

/* Records' stamps become their ages. */
static int unpack(const ProtobufCBinaryData *packed, struct hf_record *records, uint32_t most)
{
	int count = hf_records_unpack(packed->data, packed->len, records, most);
	uint32_t now;

	if (count <= 0)
		return count;
	memcpy(&now, packed->data + 1, sizeof(now));
	for (int i = 0; i < count; i++)
		records[i].stamp = now - records[i].stamp;
	return count;
}

static void take_keep(struct hf_sync_client *c, const Holdfast__Keep *keep)
{
	static struct hf_record records[HF_NODE_PACKET / HF_PACKED_RECORD];
	int count = unpack(&keep->packed, records, sizeof(records) / sizeof(records[0]));

	for (int i = 0; i < count; i++)
		hf_sharing_keep(c->sharing, &records[i]);
}

static bool is_told(const struct hf_record *records, int count, uint64_t digest)
{
	for (int i = 0; i < count; i++)
		if (hf_record_digest(&records[i]) == (digest & HF_DIGEST_MASK))
			return true;
	return false;
}

static void take_told(struct hf_sync_client *c, const Holdfast__Told *told)
{
	struct hf_record records[HF_CLIENT_ASK];
	struct hf_asked *asked = told->ticket ? find_asked(c, told->ticket) : NULL;
	int count = unpack(&told->packed, records, HF_CLIENT_ASK);

	if (!asked || count < 0)
		return;
	for (int i = 0; i < count; i++)
		hf_sharing_told(c->sharing, &records[i]);
	/* Who was silent may know: then the data plane goes on asking. */
	for (uint32_t i = 0; told->all && i < asked->count; i++) {
		const struct hf_question *q = &asked->question[i];
		uint16_t choice = hf_pools_settled_choice(hf_forwarding_pools(c->forwarding),
							  q->pool, q->digest, uv_now(c->loop));

		if (choice != HF_NO_BACKEND && !is_told(records, count, q->digest))
			hf_sharing_guess(c->sharing, q->digest, choice, q->state);
	}
	asked->ticket = 0;
}

static void take_again(struct hf_sync_client *c, const Holdfast__ExportAgain *again)
{
	struct hf_shard_set shards;

	if (again->shards.len != sizeof(shards))
		return;
	memcpy(&shards, again->shards.data, sizeof(shards));
	hf_sharing_again(c->sharing, &shards);
	/* Exceptions among them go ahead of the sweeper. */
	hf_sharing_tables_changed(c->sharing);
}

static bool take_member(const Holdfast__NodeMember *from, struct hf_cluster_member *to)
{
	*to = (struct hf_cluster_member){ .id = from->id,
					  .ready = from->ready,
					  .gone = from->gone };
	to->address.family = from->address.len == 4 ? 4 : 6;
	if (from->address.len != hf_address_length(to->address.family))
		return false;
	memcpy(to->address.word, from->address.data, from->address.len);
	return true;
}

/* Who checks backends. */
static void take_nodes(struct hf_sync_client *c, const Holdfast__Owners *owners)
{
	uint64_t nodes[HF_MAX_PEERS];
	uint32_t count = 0;

	for (size_t i = 0; i < owners->n_members && count < HF_MAX_PEERS; i++)
		if (owners->members[i]->serves)
			nodes[count++] = owners->members[i]->id;
	c->calls.nodes(c->calls.context, owners->clock, owners->self, nodes, count);
}

static void take_owners(struct hf_sync_client *c, const Holdfast__Owners *owners)
{
	size_t bytes = (size_t)HF_SHARDS * owners->replicas * sizeof(uint16_t);
	struct hf_cluster_news *news;
	bool good = owners->replicas && owners->now.len == bytes &&
		    owners->n_members < HF_MAX_PEERS &&
		    (!owners->previous.len || owners->previous.len == bytes);

	if (!good) {
		hf_error("syncd's table of owners can't be understood: the former one stays in "
			 "force; are both programs of one version?");
		return;
	}
	news = calloc(1, sizeof(*news) + 2 * bytes);
	if (!news)
		return;
	news->self = owners->self;
	news->epoch = owners->epoch;
	news->replicas = owners->replicas;
	for (size_t i = 0; i < owners->n_members && good; i++)
		good = take_member(owners->members[i], &news->member[news->member_count++]);
	news->now = memcpy(news + 1, owners->now.data, bytes);
	if (owners->previous.len)
		news->previous =
			memcpy((uint8_t *)(news + 1) + bytes, owners->previous.data, bytes);
	if (good) {
		hf_forwarding_set_cluster(c->forwarding, news);
		c->owner = hf_cluster_owns(news);
		c->others = hf_cluster_has_others(news);
		c->gave_up = owners->gave_up;
		c->ready = owners->ready;
		take_nodes(c, owners);
	}
	free(news);
}

static void take_hello(struct hf_sync_client *c, const Holdfast__NodeHello *hello)
{
	if (hello->protocol != HF_NODE_PROTOCOL) {
		if (!c->complained)
			hf_error("%s speaks protocol %u, this lbnode %d: upgrade the older of the "
				 "two",
				 hello->program, hello->protocol, HF_NODE_PROTOCOL);
		c->complained = true;
		end(c, "it speaks another protocol");
		return;
	}
	c->complained = false;
	if (!send_hello(c, true))
		return;
	hf_notice("connected to syncd: flows are shared with other nodes");
	c->greeted = c->sharing->open = c->board_due = true;
	c->calls.connected(c->calls.context, true);
}

static void take_message(struct hf_sync_client *c, const Holdfast__FromSync *message)
{
	switch (message->body_case) {
	case HOLDFAST__FROM_SYNC__BODY_HELLO:
		take_hello(c, message->hello);
		break;
	case HOLDFAST__FROM_SYNC__BODY_CREDIT:
		c->credit += message->credit->records;
		break;
	case HOLDFAST__FROM_SYNC__BODY_EXPORT_AGAIN:
		take_again(c, message->export_again);
		break;
	case HOLDFAST__FROM_SYNC__BODY_TOLD:
		take_told(c, message->told);
		break;
	case HOLDFAST__FROM_SYNC__BODY_OWNERS:
		take_owners(c, message->owners);
		break;
	case HOLDFAST__FROM_SYNC__BODY_BOARD:
		take_board(c, message->board);
		break;
	case HOLDFAST__FROM_SYNC__BODY_KEEP:
		take_keep(c, message->keep);
		break;
	default: /* of a later version, or not for us */
		break;
	}
}

/* False: no more for now. */
static bool take_packet(struct hf_sync_client *c)
{
	ssize_t length = recv(c->fd, c->packet, sizeof(c->packet), MSG_DONTWAIT);
	Holdfast__FromSync *message;

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (length <= 0) {
		end(c, length ? strerror(errno) : "it closed the connection");
		return false;
	}
	message = holdfast__from_sync__unpack(NULL, length, c->packet);
	if (!message) {
		end(c, "it sent what can't be understood");
		return false;
	}
	take_message(c, message);
	holdfast__from_sync__free_unpacked(message, NULL);
	return !uv_is_closing((uv_handle_t *)&c->poll);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct hf_sync_client *c = poll->data;

	(void)events;
	if (status < 0) {
		end(c, uv_strerror(status));
		return;
	}
	for (int i = 0; i < PACKETS_A_TURN && take_packet(c); i++)
		;
	hf_sync_client_flush(c);
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const int size = SEND_BUFFER;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	memcpy(address.sun_path, path, strlen(path));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -ECONNREFUSED;
}

static void on_retry(uv_timer_t *timer)
{
	struct hf_sync_client *c = timer->data;

	c->fd = connect_to(c->path);
	if (c->fd >= 0 && uv_poll_init(c->loop, &c->poll, c->fd) == 0) {
		c->poll.data = c;
		uv_poll_start(&c->poll, UV_READABLE, on_readable);
		return;
	}
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	uv_timer_start(&c->retry, on_retry, RETRY_MS, 0);
}

void hf_sync_client_start(struct hf_sync_client *c, uv_loop_t *loop, const char *instance,
			  struct hf_forwarding *forwarding, struct hf_sharing *sharing,
			  const struct hf_sync_client_calls *calls)
{
	c->loop = loop;
	c->fd = -1;
	c->forwarding = forwarding;
	c->sharing = sharing;
	c->calls = *calls;
	hf_node_socket_path(instance, c->path, sizeof(c->path));
	uv_timer_init(loop, &c->retry);
	c->retry.data = c;
	uv_timer_start(&c->retry, on_retry, 0, 0);
}

void hf_sync_client_stop(struct hf_sync_client *c)
{
	uv_close((uv_handle_t *)&c->retry, NULL);
	if (is_connected(c) && !uv_is_closing((uv_handle_t *)&c->poll)) {
		c->greeted = false;
		uv_close((uv_handle_t *)&c->poll, on_closed);
	}
}
