// SPDX-License-Identifier: BSD-2-Clause
#include "lib/log_message.h"

Holdfast__Log *hf_log_message(struct hf_log_page *page, uint64_t after)
{
	const struct hf_log_line *line;
	size_t count = 0;

	while (count < HF_LOG_PAGE && (line = hf_log_next(after))) {
		Holdfast__LogEntry *entry = &page->entries[count];

		holdfast__log_entry__init(entry);
		entry->number = after = line->number;
		entry->at_ms = line->at_ms;
		entry->level = line->level;
		entry->text = (char *)line->text;
		page->list[count++] = entry;
	}
	holdfast__log__init(&page->log);
	page->log.entries = page->list;
	page->log.n_entries = count;
	page->log.last = hf_log_last();
	page->log.started_ms = hf_log_started();
	return &page->log;
}
