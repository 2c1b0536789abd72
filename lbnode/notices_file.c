// SPDX-License-Identifier: BSD-2-Clause
/* The file is a Board of proto/node.proto. */
#include "lbnode/notices_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lbnode/history.h"
#include "lbnode/state_file.h"
#include "lib/log.h"
#include "proto/node.pb-c.h"
#include "proto/notice.h"

static void name_of(const char *instance, char name[NAME_MAX])
{
	snprintf(name, NAME_MAX, "%s.notices", instance);
}

static int save(const char *instance, const Holdfast__Board *body)
{
	size_t length = holdfast__board__get_packed_size(body);
	uint8_t *bytes = malloc(length ? length : 1);
	char name[NAME_MAX];
	int err;

	if (!bytes)
		return -ENOMEM;
	holdfast__board__pack(body, bytes);
	name_of(instance, name);
	err = hf_state_save(name, bytes, length);
	free(bytes);
	return err;
}

void hf_notices_save(const char *instance, const struct hf_board *board)
{
	static bool complained;
	uint32_t most = hf_board_count(board), count = 0;
	Holdfast__Board body = HOLDFAST__BOARD__INIT;
	Holdfast__Notice *notices = calloc(most + 1, sizeof(*notices));
	Holdfast__Notice **list = calloc(most + 1, sizeof(Holdfast__Notice *));
	const struct hf_notice *notice;
	uint64_t cursor = 0;
	int err = -ENOMEM;

	while (notices && list && count < most && (notice = hf_board_next(board, &cursor))) {
		hf_notice_write(&notices[count], notice);
		list[count] = &notices[count];
		count++;
	}
	body.notices = list;
	body.n_notices = count;
	if (notices && list)
		err = save(instance, &body);
	free(notices);
	free(list);
	if (err && !complained)
		hf_warning("can't keep overrides and verdicts in " HF_STATE_DIRECTORY
			   ": %s; if all nodes restart they are lost",
			   strerror(-err));
	complained = err;
}

void hf_notices_load(const char *instance,
		     void (*take)(void *context, const struct hf_notice *notice), void *context)
{
	Holdfast__Board *body = NULL;
	struct hf_notice notice;
	char name[NAME_MAX];
	uint8_t *bytes;
	size_t length;

	name_of(instance, name);
	bytes = hf_state_load(name, &length);
	if (bytes)
		body = holdfast__board__unpack(NULL, length, bytes);
	for (size_t i = 0; body && i < body->n_notices; i++)
		if (hf_notice_read(body->notices[i], &notice))
			take(context, &notice);
	if (bytes && !body)
		hf_warning(HF_STATE_DIRECTORY "/%s can't be understood, and is left out", name);
	holdfast__board__free_unpacked(body, NULL);
	free(bytes);
}
