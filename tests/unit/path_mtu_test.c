// SPDX-License-Identifier: BSD-2-Clause
/* What routers say of tunnel packets: read from messages as raw sockets give them. */
#include "lbnode/path_mtu.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "tests/frame.h"
#include "tests/unit/unit.h"

static struct hf_path_news news;
static struct hf_address receiver; /* of IPv6 messages */

static int begin(void **state)
{
	(void)state;
	return hf_address_parse("2001:db8:1b::7", &receiver);
}

/* The message, from where raw sockets begin. */
static bool read_frame(const struct frame *f)
{
	bool is_6 = f->bytes[f->l3] >> 4 == 6;
	size_t at = is_6 ? f->l4 : f->l3;
	uint32_t aligned[512];

	memcpy(aligned, f->bytes + at, f->length - at);
	return hf_path_mtu_read(is_6 ? 6 : 4, aligned, f->length - at, &receiver, &news);
}

static void message(struct frame *f, bool is_6, uint8_t type, uint8_t code, uint32_t mtu,
		    uint8_t protocol)
{
	struct frame q;

	frame_ethernet(&q);
	if (is_6)
		frame_ipv6(&q, "2001:db8:1b::7", "2001:db8:be::1");
	else
		frame_ipv4(&q, "198.51.100.17", "192.0.2.101");
	frame_udp(&q, 50000, 6080);
	frame_payload(&q, 20);
	frame_finish(&q);
	q.bytes[q.l3 + (is_6 ? 6 : 9)] = protocol;
	frame_ethernet(f);
	if (is_6)
		frame_ipv6(f, "2001:db8::9", "2001:db8:1b::7");
	else
		frame_ipv4(f, "192.0.2.254", "198.51.100.17");
	frame_icmp(f, type, code, mtu);
	frame_append(f, q.bytes + q.l3, q.length - q.l3);
	frame_finish(f);
}

static void is_news(uint16_t mtu, const char *source, const char *destination)
{
	struct hf_address address;

	assert_int_equal(news.mtu, mtu);
	assert_int_equal(hf_address_parse(source, &address), 0);
	assert_true(hf_address_equal(&news.source, &address));
	assert_int_equal(hf_address_parse(destination, &address), 0);
	assert_true(hf_address_equal(&news.destination, &address));
}

static void tunnels_of_all_kinds(void **state)
{
	const uint8_t protocols[] = { IPPROTO_IPIP, IPPROTO_IPV6, IPPROTO_UDP };
	struct frame f;

	(void)state;
	for (int i = 0; i < 3; i++) {
		message(&f, false, 3, 4, 1480, protocols[i]);
		assert_true(read_frame(&f));
		is_news(1480, "198.51.100.17", "192.0.2.101");
		message(&f, true, 2, 0, 1460, protocols[i]);
		assert_true(read_frame(&f));
		is_news(1460, "2001:db8:1b::7", "2001:db8:be::1");
	}
}

static void others(void **state)
{
	struct frame f;

	(void)state;
	message(&f, false, 3, 1, 1480, IPPROTO_IPIP);
	assert_false(read_frame(&f));
	message(&f, false, 11, 4, 1480, IPPROTO_IPIP);
	assert_false(read_frame(&f));
	message(&f, false, 3, 4, 1480, IPPROTO_TCP);
	assert_false(read_frame(&f));
	message(&f, false, 3, 4, 0, IPPROTO_IPIP); /* from before RFC 1191 */
	assert_false(read_frame(&f));
	message(&f, true, 1, 0, 1480, IPPROTO_IPIP);
	assert_false(read_frame(&f));
	message(&f, true, 2, 0, 0x10000 + 1480, IPPROTO_IPIP);
	assert_false(read_frame(&f));
}

static void nobody_makes_us_send_crumbs(void **state)
{
	struct frame f;

	(void)state;
	message(&f, false, 3, 4, 68, IPPROTO_IPIP);
	assert_true(read_frame(&f));
	assert_int_equal(news.mtu, HF_PATH_MTU_LEAST4);
	message(&f, true, 2, 0, 1280, IPPROTO_IPIP);
	assert_true(read_frame(&f));
	assert_int_equal(news.mtu, HF_PATH_MTU_LEAST6);
	message(&f, true, 2, 0, 1279, IPPROTO_IPIP);
	assert_false(read_frame(&f));
	message(&f, false, 3, 4, 1491, IPPROTO_IPIP);
	assert_true(read_frame(&f));
	assert_int_equal(news.mtu, 1488);
}

/* Anyone can send a message; what only this node has sent they can hardly quote, and must not be
 * heard by another address of its. */
static void forgeries(void **state)
{
	struct frame f;

	(void)state;
	message(&f, false, 3, 4, 1480, IPPROTO_IPIP);
	f.bytes[f.l3 + 19] = 18; /* to another address */
	frame_finish_ip(&f);
	assert_false(read_frame(&f));
	message(&f, false, 3, 4, 1480, IPPROTO_IPIP);
	f.bytes[f.l4 + 2] ^= 1; /* the checksum */
	assert_false(read_frame(&f));
	message(&f, true, 2, 0, 1480, IPPROTO_IPIP);
	receiver.word[3] ^= 1;
	assert_false(read_frame(&f));
	receiver.word[3] ^= 1;
	assert_true(read_frame(&f));
	assert_int_equal(news.gue_port, 0);
	message(&f, true, 2, 0, 1480, IPPROTO_UDP);
	assert_true(read_frame(&f));
	assert_int_equal(news.gue_port, 6080);
}

/* AddressSanitizer watches. */
static void cut_short_anywhere(void **state)
{
	struct frame f;

	(void)state;
	for (int is_6 = 0; is_6 < 2; is_6++) {
		message(&f, is_6, is_6 ? 2 : 3, is_6 ? 0 : 4, 1480, IPPROTO_IPIP);
		size_t at = is_6 ? f.l4 : f.l3, whole = (is_6 ? 8 + 40 : 20 + 8 + 20);

		for (size_t length = 0; length < whole; length++) {
			void *copy = malloc(length ? length : 1);

			memcpy(copy, f.bytes + at, length);
			assert_false(
				hf_path_mtu_read(is_6 ? 6 : 4, copy, length, &receiver, &news));
			free(copy);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tunnels_of_all_kinds),	       cmocka_unit_test(others),
		cmocka_unit_test(nobody_makes_us_send_crumbs), cmocka_unit_test(forgeries),
		cmocka_unit_test(cut_short_anywhere),
	};

	return cmocka_run_group_tests_name("path_mtu", tests, begin, NULL);
}
