// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/explain.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lbnode/answers.h"
#include "lbnode/bpf/flow_table.h"
#include "lbnode/bpf/service_table.h"
#include "lbnode/counter_info.h"
#include "lib/bpffs.h"
#include "lib/packet/digest.h"
#include "lib/packet/shard.h"

#define NAME_TEXT    160
#define LATE_MS	     30000 /* it hangs */
#define WAITING_MOST 8

/* One question, and all that its answer's texts live in. */
struct explaining {
	struct explaining *next;
	struct agent *agent;
	int connection; /* its own: who asked may be gone before the answer comes */
	Holdfast__Explanation to;
	struct hf_explain_run run;
	char pool[HF_CONFIG_NAME_MAX + 1];
	char error[256], service[HF_ADDRESS_TEXT + 16], choice[NAME_TEXT], former[NAME_TEXT],
		pin[NAME_TEXT], backend[NAME_TEXT], device[IF_NAMESIZE], next_hop[18];
	uint8_t destination[16];
	uint8_t may_know[HF_CANDIDATES_MAX][16];
	ProtobufCBinaryData may_know_list[HF_CANDIDATES_MAX];
	Holdfast__Counter counters[HF_COUNTER_END], *counter_list[HF_COUNTER_END];
	char names[HF_COUNTER_END][HF_COUNTER_NAME];
};

/* flow_table.h's way to the table. */
static struct hf_bucket *flows;

static struct hf_bucket *hf_flow_bucket(__u32 index)
{
	return &flows[index];
}

/* "POOL/NAME" of the plan; of one that drains, where it is. */
static const char *name_backend(const struct agent *a, uint16_t id, char text[NAME_TEXT])
{
	const struct hf_config *config = &a->plan->config;
	const struct hf_backend_record *record = hf_backends_record(a->backends, id);
	char address[HF_ADDRESS_TEXT];

	text[0] = '\0';
	if (!id || !record || record->state == HF_BACKEND_FREE)
		return text;
	for (uint32_t p = 0; p < config->pool_count; p++) {
		const struct hf_config_pool *pool = &config->pools[p];

		for (uint32_t b = 0; b < pool->backend_count; b++) {
			if (hf_backend_identity(pool, &pool->backends[b]) != record->identity)
				continue;
			snprintf(text, NAME_TEXT, "%s/%s", pool->name, pool->backends[b].name);
			return text;
		}
	}
	snprintf(text, NAME_TEXT, "%s, which is in no pool any more",
		 hf_address_format(&record->address, address));
	return text;
}

static void explain_slot(struct explaining *e, const struct hf_service *s, uint64_t digest)
{
	const struct hf_slot *slot =
		hf_pools_slot(hf_forwarding_pools(e->agent->forwarding), s, digest);

	e->to.slots = s->table_size;
	e->to.slot = hf_slot(digest, s->table_size);
	if (!slot)
		return;
	e->to.choice = (char *)name_backend(e->agent, slot->backend, e->choice);
	e->to.former_choice = (char *)name_backend(e->agent, slot->previous, e->former);
	e->to.fresh = slot->is_fresh;
}

static void explain_pin(struct explaining *e, uint64_t digest)
{
	uint64_t pin;

	flows = e->agent->sweeper.buckets;
	if (!hf_flow_find(digest, (uint32_t)__builtin_ctz(e->agent->sweeper.count), (__u64 *)&pin))
		return;
	e->run.pin = pin;
	e->to.pin = (char *)name_backend(e->agent, hf_pin_backend(pin), e->pin);
	e->to.pin_state = (char *)hf_pin_state_names[hf_pin_state(pin)];
}

static void explain_owners(struct explaining *e, uint64_t digest)
{
	const struct hf_cluster *c = hf_forwarding_cluster(e->agent->forwarding);
	const uint16_t *candidate = c->shard[hf_shard(digest)].candidate;

	e->to.shard = hf_shard(digest);
	e->to.may_know = e->may_know_list;
	for (int i = 0; i < HF_CANDIDATES_MAX && candidate[i]; i++) {
		const struct hf_backend *peer = &c->peer[candidate[i]];
		bool ipv4 = peer->encapsulation == HF_ENCAP_GUE_OVER_IPV4;

		memcpy(e->may_know[i], peer->address, sizeof(e->may_know[i]));
		e->may_know_list[i].data = e->may_know[i];
		e->may_know_list[i].len = ipv4 ? 4 : 16;
		e->to.n_may_know++;
	}
}

/* The device and Ethernet address that what was sent would leave by. */
static void explain_way(struct explaining *e)
{
	const uint8_t *mac = e->run.frame;
	int nexthops = hf_bpffs_open(e->agent->instance, "nexthops");
	struct hf_nexthop hop;

	snprintf(e->next_hop, sizeof(e->next_hop), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
	e->to.next_hop = e->next_hop;
	for (uint32_t i = 0; nexthops >= 0 && i < HF_MAX_BACKENDS; i++) {
		if (bpf_map_lookup_elem(nexthops, &i, &hop) < 0 || !hop.ifindex ||
		    memcmp(hop.macs, mac, sizeof(hop.macs)) != 0 ||
		    !if_indextoname(hop.ifindex, e->device))
			continue;
		e->to.device = e->device;
		break;
	}
	if (nexthops >= 0)
		close(nexthops);
}

static void explain_destination(struct explaining *e)
{
	const struct hf_config *config = &e->agent->plan->config;
	struct hf_address to = { .family = 4 };

	e->to.to.len = hf_explain_destination(e->run.frame, e->run.length, e->destination);
	e->to.to.data = e->destination;
	to.family = e->to.to.len == 4 ? 4 : 6;
	memcpy(to.word, e->destination, e->to.to.len);
	for (uint32_t p = 0; p < config->pool_count; p++)
		for (uint32_t b = 0; b < config->pools[p].backend_count; b++)
			if (hf_address_equal(&config->pools[p].backends[b].address, &to) &&
			    (!e->backend[0] || strcmp(config->pools[p].name, e->to.pool) == 0))
				snprintf(e->backend, sizeof(e->backend), "%s/%s",
					 config->pools[p].name, config->pools[p].backends[b].name);
	e->to.to_backend = e->backend;
	explain_way(e);
}

static void explain_run(struct explaining *e)
{
	static const char *const verdicts[] = { "aborted", "drop", "pass", "tx", "redirect" };

	if (e->run.err) {
		snprintf(e->error, sizeof(e->error), "the XDP program can't be run: %s",
			 strerror(-e->run.err));
		e->to.error = e->error;
		return;
	}
	e->to.verdict = (char *)(e->run.verdict < sizeof(verdicts) / sizeof(verdicts[0])
					 ? verdicts[e->run.verdict]
					 : "?");
	e->to.counters = e->counter_list;
	for (uint32_t i = 0; i < HF_COUNTER_END; i++) {
		Holdfast__Counter *c = &e->counters[e->to.n_counters];

		if (!e->run.counters[i])
			continue;
		holdfast__counter__init(c);
		c->name = (char *)hf_counter_name(hf_counter_info[i].name, e->names[i]);
		c->text = (char *)hf_counter_info[i].text;
		c->count = e->run.counters[i];
		e->counter_list[e->to.n_counters++] = c;
	}
	if (e->run.verdict != XDP_TX && e->run.verdict != XDP_REDIRECT)
		return;
	e->to.frame.data = e->run.frame;
	e->to.frame.len = e->run.length;
	explain_destination(e);
}

static void explain_service(struct explaining *e, const struct hf_service *s,
			    const Holdfast__ExplainAsk *ask)
{
	struct hf_address vip = { .family = s->family };
	char address[HF_ADDRESS_TEXT];
	const struct hf_config *config = &e->agent->plan->config;

	memcpy(vip.word, s->address, sizeof(vip.word));
	hf_address_format(&vip, address);
	snprintf(e->service, sizeof(e->service), "%s %s %u", address,
		 ask->protocol == IPPROTO_TCP ? "tcp" : "udp", ntohs(s->port));
	e->to.service = e->service;
	e->to.stateless = s->is_stateless;
	for (uint32_t i = 0; i < config->service_count; i++)
		if (hf_address_equal(&config->services[i].address, &vip) &&
		    htons(config->services[i].port) == s->port &&
		    (config->services[i].protocol == HF_CONFIG_TCP) ==
			    (ask->protocol == IPPROTO_TCP))
			snprintf(e->pool, sizeof(e->pool), "%s",
				 config->pools[config->services[i].pool].name);
	e->to.pool = e->pool;
}

/* What can be told before it is run. */
static void explain_flow(struct explaining *e, const Holdfast__ExplainAsk *ask)
{
	const struct hf_service_table *table =
		hf_pools_services(hf_forwarding_pools(e->agent->forwarding));
	const struct hf_service *service;
	struct hf_packet p = { .family = ask->source.len == 4 ? 4 : 6,
			       .protocol = ask->protocol,
			       .source_port = htons(ask->source_port),
			       .destination_port = htons(ask->destination_port) };
	uint64_t key[2];

	memcpy(p.source, ask->source.data, ask->source.len);
	memcpy(p.destination, ask->destination.data, ask->destination.len);
	hf_key_derive(&e->agent->keys.flow, HF_KEY_FLOW, key, sizeof(key));
	e->run.digest = e->to.digest = hf_digest(&p, (struct hf_key){ key[0], key[1] });
	service = table ? hf_service_find(table, &p) : NULL;
	if (!service)
		return;
	explain_service(e, service, ask);
	explain_slot(e, service, e->to.digest);
	explain_pin(e, e->to.digest);
	explain_owners(e, e->to.digest);
}

static size_t pack_answer(const Holdfast__Explanation *body, uint8_t *out, size_t size)
{
	Holdfast__FromNode message = HOLDFAST__FROM_NODE__INIT;

	message.body_case = HOLDFAST__FROM_NODE__BODY_EXPLANATION;
	message.explanation = (Holdfast__Explanation *)body;
	return hf_answer_pack(&message, out, size);
}

struct hf_explainer {
	struct agent *agent;
	int socket;
	uv_poll_t poll;
	struct explaining *first, **last; /* in the order in which they were given to it */
	uint32_t waiting;
	uv_timer_t timer; /* of the oldest */
	int handles;
};

static void answer(struct explaining *e)
{
	static uint8_t out[HF_SEQPACKET_MAX];
	size_t length;

	explain_run(e);
	length = pack_answer(&e->to, out, sizeof(out));
	send(e->connection, out, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	close(e->connection);
	free(e);
}

static void on_closed(uv_handle_t *handle)
{
	struct hf_explainer *x = handle->data;

	if (--x->handles)
		return;
	close(x->socket);
	free(x);
}

void hf_explain_stop(struct agent *a)
{
	struct hf_explainer *x = a->explainer;
	struct explaining *e;

	if (!x)
		return;
	a->explainer = NULL;
	while ((e = x->first)) {
		x->first = e->next;
		e->run.err = -ECANCELED;
		answer(e);
	}
	uv_close((uv_handle_t *)&x->poll, on_closed);
	uv_close((uv_handle_t *)&x->timer, on_closed);
}

static void on_late(uv_timer_t *timer)
{
	struct hf_explainer *x = timer->data;

	hf_explain_stop(x->agent);
}

static void on_run(uv_poll_t *poll, int status, int events)
{
	static struct hf_explain_run run;
	struct hf_explainer *x = poll->data;
	ssize_t got = recv(x->socket, &run, sizeof(run), MSG_DONTWAIT);
	struct explaining *e = x->first;

	(void)events;
	if (got < 0 && (errno == EAGAIN || errno == EINTR) && status >= 0)
		return;
	/* It has ended, as it does when nobody asks. */
	if (got != (ssize_t)sizeof(run) || !e) {
		hf_explain_stop(x->agent);
		return;
	}
	x->first = e->next;
	x->waiting--;
	uv_timer_stop(&x->timer);
	if (x->first)
		uv_timer_start(&x->timer, on_late, LATE_MS, 0);
	else
		x->last = &x->first;
	e->run = run;
	answer(e);
}

/* Nobody's child, so that the agent need not wait for it. */
static int start_process(struct agent *a, int ends[2])
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (child > 0) {
		waitpid(child, NULL, 0);
		close(ends[1]);
		return 0;
	}
	/* Nothing of the agent's may outlive it here, above all its lock; and libuv's handlers of
	 * signals write to pipes that are closed. */
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		signal(signals[i], SIG_DFL);
	dup2(ends[1], STDIN_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (fork() == 0)
		hf_explain_serve(a, STDIN_FILENO);
	_exit(0);
}

/* NULL, with *err: it can't be started. */
static struct hf_explainer *start_explainer(struct agent *a, int *err)
{
	struct hf_explainer *x = calloc(1, sizeof(*x));
	int ends[2];

	*err = -ENOMEM;
	if (!x)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
		*err = -errno;
		free(x);
		return NULL;
	}
	*err = start_process(a, ends);
	if (*err) {
		close(ends[0]);
		close(ends[1]);
		free(x);
		return NULL;
	}
	x->agent = a;
	x->socket = ends[0];
	x->last = &x->first;
	uv_poll_init(&a->loop, &x->poll, x->socket);
	x->poll.data = x;
	uv_timer_init(&a->loop, &x->timer);
	x->timer.data = x;
	x->handles = 2;
	uv_poll_start(&x->poll, UV_READABLE, on_run);
	return x;
}

static int give_to_explainer(struct agent *a, struct explaining *e)
{
	struct hf_explainer *x = a->explainer;
	int err = 0;

	if (!x)
		x = a->explainer = start_explainer(a, &err);
	if (!x)
		return err;
	if (x->waiting == WAITING_MOST)
		return -EBUSY;
	e->connection = dup(a->control.connection);
	if (e->connection < 0)
		return -errno;
	if (send(x->socket, &e->run, sizeof(e->run), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
		err = -errno;
		close(e->connection);
		return err;
	}
	*x->last = e;
	x->last = &e->next;
	if (!x->waiting++)
		uv_timer_start(&x->timer, on_late, LATE_MS, 0);
	return 0;
}

static void fill_frame(struct explaining *e, const Holdfast__ExplainAsk *ask)
{
	const struct agent *a = e->agent;

	for (uint32_t i = 0; i < a->interface_count && !e->run.ifindex; i++)
		e->run.ifindex = a->attached[i];
	e->run.length = hf_explain_frame(ask, e->run.frame);
	if (!e->run.length || !ask->frame.len)
		return;
	e->run.length = ask->frame.len <= sizeof(e->run.frame) ? ask->frame.len : 0;
	memcpy(e->run.frame, ask->frame.data, e->run.length);
}

size_t hf_explain(struct agent *a, const Holdfast__ExplainAsk *ask, uint8_t *out, size_t size)
{
	struct explaining *e = calloc(1, sizeof(*e));
	size_t length;
	int err;

	if (!e)
		return 0;
	e->agent = a;
	holdfast__explanation__init(&e->to);
	fill_frame(e, ask);
	if (!e->run.length) {
		snprintf(e->error, sizeof(e->error),
			 "this is no packet of TCP or UDP, or one that is too long");
	} else {
		explain_flow(e, ask);
		err = give_to_explainer(a, e);
		if (!err)
			return HF_CONTROL_LATER;
		snprintf(e->error, sizeof(e->error), "it can't be run: %s", strerror(-err));
	}
	e->to.error = e->error;
	length = pack_answer(&e->to, out, size);
	free(e);
	return length;
}
