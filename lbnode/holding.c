// SPDX-License-Identifier: BSD-2-Clause
#include "lbnode/holding.h"

/* While fragments wait, they are looked after this often, and so many new ones taken each time: a
 * flood of them, which costs some 15 us each, has a fifth of the agent's time at most. The others
 * wait in the ring, and when that is full the data plane counts and drops them. */
#define TURN_MS	  5
#define TURN_MOST 64

static void take(void *context, const struct hf_held *fragment)
{
	struct hf_holding *h = context;

	if (!hf_hold_add(&h->hold, fragment, uv_now(h->timer.loop)))
		hf_dataplane_run_held(h->dataplane, fragment);
}

static bool is_known(void *context, uint64_t datagram)
{
	struct hf_holding *h = context;

	return hf_dataplane_knows_datagram(h->dataplane, datagram);
}

static void run(void *context, const struct hf_held *fragment)
{
	struct hf_holding *h = context;

	hf_dataplane_run_held(h->dataplane, fragment);
}

static void on_held(uv_poll_t *handle, int status, int events);

static void on_turn(uv_timer_t *handle)
{
	struct hf_holding *h = handle->data;
	uint32_t taken = hf_dataplane_take_held(h->dataplane, TURN_MOST, take, h);

	hf_hold_turn(&h->hold, uv_now(handle->loop), is_known, run, h);
	if (taken || h->hold.count)
		return;
	uv_timer_stop(handle);
	uv_poll_start(&h->poll, UV_READABLE, on_held);
}

static void on_held(uv_poll_t *handle, int status, int events)
{
	struct hf_holding *h = handle->data;

	(void)status; /* an error or not: the turn starts polling again */
	(void)events;
	uv_poll_stop(handle);
	uv_timer_start(&h->timer, on_turn, 0, TURN_MS);
}

void hf_holding_start(struct hf_holding *h, uv_loop_t *loop, struct hf_dataplane *dataplane)
{
	h->dataplane = dataplane;
	h->hold.count = 0;
	uv_timer_init(loop, &h->timer);
	uv_poll_init(loop, &h->poll, hf_dataplane_held_fd(dataplane));
	h->timer.data = h->poll.data = h;
	uv_poll_start(&h->poll, UV_READABLE, on_held);
}

void hf_holding_stop(struct hf_holding *h)
{
	uv_close((uv_handle_t *)&h->poll, NULL);
	uv_close((uv_handle_t *)&h->timer, NULL);
}
