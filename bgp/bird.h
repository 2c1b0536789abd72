/* SPDX-License-Identifier: BSD-2-Clause */
/* BIRD's control socket, for the driver (core/driver.h). */
#ifndef HF_BGP_BIRD_H
#define HF_BGP_BIRD_H

#include <stdbool.h>
#include <uv.h>

#include "bgp/core/driver.h"

struct hf_bird_connection;

struct hf_bird {
	struct hf_driver *driver;
	const char *path;
	uv_loop_t *loop;
	struct hf_bird_connection *connection; /* NULL: none */
	void (*settle)(void *context);	       /* after the driver was told something */
	void *context;
};

/* What the driver's output needs. */
void hf_bird_connect(struct hf_bird *bird);
void hf_bird_disconnect(struct hf_bird *bird);
void hf_bird_send(struct hf_bird *bird, const char *command);

#endif
