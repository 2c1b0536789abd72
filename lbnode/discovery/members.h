/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is in a pool: those that the configuration lists, and those that a file or DNS tells of. No
 * I/O.
 *
 * A configuration with all members takes the place of the one that was read, for all that is made
 * of backends. A member whose address, or name, the configuration lists is the listed one.
 */
#ifndef HF_LBNODE_DISCOVERY_MEMBERS_H
#define HF_LBNODE_DISCOVERY_MEMBERS_H

#include "lib/config.h"

struct hf_found {
	char name[HF_CONFIG_NAME_MAX + 1];
	struct hf_address address;
	uint32_t weight;
};

/* What one source told last. */
struct hf_found_list {
	struct hf_found *member;
	uint32_t count;
};

/* The name of a member that has none: its address, with what a name can't have replaced. */
void hf_found_name(const struct hf_address *address, char name[HF_CONFIG_NAME_MAX + 1]);

/*
 * Reads lines of "ADDRESS", "NAME ADDRESS" or "NAME ADDRESS WEIGHT"; # begins a comment. Sorted by
 * address. 0, -ENODATA if there is none, -EINVAL with `why`, one line, or -ENOMEM: then *list is as
 * before. What *list held is freed.
 */
int hf_found_parse(const char *text, struct hf_found_list *list, char *why, size_t size);
/* Writes them in that form, to be freed; NULL: no memory. */
char *hf_found_format(const struct hf_found_list *list);

/* Puts members in place of the list's: sorted, and none twice. 0, -ENODATA or -ENOMEM, as above. */
int hf_found_set(struct hf_found_list *list, const struct hf_found *members, uint32_t count);
bool hf_found_equal(const struct hf_found_list *a, const struct hf_found_list *b);
void hf_found_clear(struct hf_found_list *list);

/* The configuration with lists[i] added to its i-th pool; borrows the configuration's texts, and
 * is freed with hf_members_delete(). Members that can't be a backend here (no tunnel source of that
 * family, a VIP's address, more than the table has slots) are left out, and counted in *left_out.
 * NULL: no memory. */
struct hf_config *hf_members_new(const struct hf_config *config, const struct hf_found_list *lists,
				 uint32_t *left_out);
void hf_members_delete(struct hf_config *members);

#endif
