// SPDX-License-Identifier: BSD-2-Clause
#include "tests/fuzz/oracle.h"

#include <string.h>

/* A packet as it is taken apart. Lengths and offsets count from the IP header. */
struct seen {
	const struct oracle_world *world;
	const uint8_t *ip;
	size_t room; /* of the frame, from the IP header on */
	int family;
	size_t length;
	size_t at; /* of the upper layer */
	uint8_t protocol;
	const uint8_t *source, *destination;
	bool fragment;
	uint32_t offset; /* in bytes */
	uint32_t id;
};

enum looks { SOUND, MALFORMED, ENDLESS, NO_IP, FRAGMENT };

static uint32_t get(const uint8_t *p, int bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | *p++;
	return value;
}

static uint16_t ones_sum(const uint8_t *p, size_t length, uint32_t sum)
{
	for (size_t i = 0; i < length; i++)
		sum += (uint32_t)p[i] << (i % 2 ? 0 : 8);
	while (sum > 0xffff)
		sum = (sum >> 16) + (sum & 0xffff);
	return sum;
}

static enum looks look_at_ipv4(struct seen *s)
{
	size_t header;

	if (s->room < 20)
		return NO_IP;
	s->family = 4;
	s->source = s->ip + 12;
	s->destination = s->ip + 16;
	s->protocol = s->ip[9];
	s->length = get(s->ip + 2, 2);
	header = (s->ip[0] & 15) * 4;
	if (s->ip[0] >> 4 != 4 || header < 20 || s->length < header || s->length > s->room ||
	    s->room - s->length > 64)
		return MALFORMED;
	if (ones_sum(s->ip, header, 0) != 0xffff)
		return MALFORMED;
	s->at = header;
	s->offset = (get(s->ip + 6, 2) & 0x1fff) * 8;
	s->id = get(s->ip + 4, 2);
	s->fragment = s->offset || s->ip[6] & 0x20;
	return s->fragment ? FRAGMENT : SOUND;
}

/* RFC 8200 section 4: at most seven headers on the way to the upper layer. */
static enum looks walk(struct seen *s)
{
	for (int headers = 0;; headers++) {
		const uint8_t *x = s->ip + s->at;
		bool is_fragment = s->protocol == 44;

		if (!(s->protocol == 0 || s->protocol == 43 || s->protocol == 60 ||
		      s->protocol == 51 || is_fragment))
			return headers > 7 ? ENDLESS : SOUND;
		if (s->at + (is_fragment ? 8 : 4) > s->room)
			return MALFORMED;
		if (headers >= 8)
			return ENDLESS;
		if (is_fragment) {
			s->at += 8;
			s->protocol = x[0];
			if (get(x + 2, 2) & 0xfff9) {
				s->fragment = true;
				s->offset = get(x + 2, 2) & 0xfff8;
				s->id = get(x + 4, 4);
				return FRAGMENT;
			}
			continue;
		}
		s->at += s->protocol == 51 ? (x[1] + 2) * 4 : (x[1] + 1) * 8;
		s->protocol = x[0];
	}
}

static enum looks look_at_ipv6(struct seen *s)
{
	if (s->room < 40)
		return NO_IP;
	s->family = 6;
	s->source = s->ip + 8;
	s->destination = s->ip + 24;
	s->protocol = s->ip[6];
	s->length = 40 + get(s->ip + 4, 2);
	if (s->ip[0] >> 4 != 6 || s->length == 40 || s->length > s->room || s->length > 0xffff ||
	    s->room - s->length > 64)
		return MALFORMED;
	s->at = 40;
	return walk(s);
}

static enum looks look_at_upper(const struct seen *s)
{
	const uint8_t *u = s->ip + s->at;
	int flags;

	if (s->protocol == 6) {
		if (s->at + 20 > s->length || u[12] >> 4 < 5 ||
		    s->at + (u[12] >> 4) * 4 > s->length)
			return MALFORMED;
		flags = u[13];
		if (flags & 2) /* SYN: alone or with ACK */
			return flags & 5 ? MALFORMED : SOUND;
		return flags & 0x14 ? SOUND : MALFORMED; /* else ACK or RST */
	}
	if (s->protocol == 17) {
		if (s->at + 8 > s->length || get(u + 4, 2) < 8)
			return MALFORMED;
		if (!s->fragment && s->at + get(u + 4, 2) > s->length)
			return MALFORMED;
	}
	return SOUND;
}

static bool same(const struct oracle_service *v, int family, const uint8_t *address)
{
	return v->family == family && memcmp(v->address, address, family == 4 ? 4 : 16) == 0;
}

static bool is_vip(const struct oracle_world *w, int family, const uint8_t *address)
{
	for (int i = 0; i < w->services; i++)
		if (same(&w->service[i], family, address))
			return true;
	return false;
}

static const struct oracle_service *find(const struct oracle_world *w, int family,
					 const uint8_t *address, uint8_t protocol, uint16_t port)
{
	for (int i = 0; i < w->services; i++) {
		const struct oracle_service *v = &w->service[i];

		if (same(v, family, address) && v->protocol == protocol &&
		    (!v->port || v->port == port))
			return v;
	}
	return NULL;
}

static bool is_own(const struct seen *s)
{
	if (s->family == 4)
		return memcmp(s->destination, s->world->own4, 3) == 0 &&
		       (s->destination[3] & 0xf0) == s->world->own4[3];
	return memcmp(s->destination, s->world->own6, 8) == 0;
}

static bool may_be_a_client(const struct seen *s)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff }, zeros[12];
	const uint8_t *a = s->source;

	if (is_vip(s->world, s->family, a))
		return false;
	if (s->family == 4)
		return a[0] != 0 && a[0] != 127 && a[0] < 224;
	return a[0] != 0xff && memcmp(a, mapped, 12) != 0 && memcmp(a, zeros, 12) != 0;
}

static struct oracle_flow flow_key(int family, uint8_t protocol, const uint8_t *client,
				   const uint8_t *client_port, const uint8_t *vip,
				   const uint8_t *port)
{
	struct oracle_flow key = { { family, protocol } };

	memcpy(key.bytes + 2, client_port, 2);
	memcpy(key.bytes + 4, port, 2);
	memcpy(key.bytes + 6, client, family == 4 ? 4 : 16);
	memcpy(key.bytes + 22, vip, family == 4 ? 4 : 16);
	return key;
}

static struct oracle_flow datagram_key(const struct seen *s)
{
	const uint8_t id[4] = { s->id >> 24, s->id >> 16, s->id >> 8, s->id };

	return flow_key(s->family, s->family == 4 ? s->protocol : 0, s->source, id, s->destination,
			id + 2);
}

static void end(struct oracle_answer *a, enum oracle_verdict verdict)
{
	a->verdict = verdict;
}

static void judge_flow(const struct seen *s, struct oracle_answer *a)
{
	const uint8_t *u = s->ip + s->at;
	bool to_tunnel = s->protocol == 17 && get(u + 2, 2) == 6080;

	a->service = find(s->world, s->family, s->destination, s->protocol, get(u + 2, 2));
	if (!a->service)
		return end(a,
			   to_tunnel && (is_own(s) || is_vip(s->world, s->family, s->destination))
				   ? ORACLE_DROP
				   : ORACLE_PASS);
	if (!may_be_a_client(s) || (!a->service->port && to_tunnel))
		return end(a, ORACLE_DROP);
	a->flow = flow_key(s->family, s->protocol, s->source, u, s->destination, u + 2);
	a->reached = true;
	a->pins = !a->service->stateless && !(s->protocol == 6 && u[13] & 4);
	a->fits = s->length + a->service->outer <= ORACLE_MTU;
	if (a->fits)
		return end(a, ORACLE_FORWARD);
	if (s->family == 4 && s->length < 548)
		return end(a, ORACLE_DROP);
	end(a, ORACLE_TOO_BIG);
}

static void judge_error(const struct seen *s, struct oracle_answer *a)
{
	struct seen q = { .world = s->world, .ip = s->ip + s->at + 8 };
	const uint8_t *u;
	enum looks looks = SOUND;

	q.room = s->room - s->at - 8;
	if (s->family == 4) {
		if (q.room < 20 || q.ip[0] >> 4 != 4 || (q.ip[0] & 15) < 5)
			return end(a, ORACLE_DROP);
		q.at = (q.ip[0] & 15) * 4;
		q.protocol = q.ip[9];
		if (get(q.ip + 6, 2) & 0x1fff)
			return end(a, ORACLE_DROP);
		q.source = q.ip + 12;
		q.destination = q.ip + 16;
	} else {
		if (q.room < 40 || q.ip[0] >> 4 != 6)
			return end(a, ORACLE_DROP);
		q.at = 40;
		q.protocol = q.ip[6];
		looks = walk(&q);
		if (looks == FRAGMENT && q.offset == 0)
			looks = walk(&q);
		if (looks != SOUND)
			return end(a, ORACLE_DROP);
		q.source = q.ip + 8;
		q.destination = q.ip + 24;
	}
	if (q.protocol != 6 && q.protocol != 17)
		return end(a, ORACLE_PASS);
	u = q.ip + q.at;
	if (s->at + 8 + q.at + 8 > s->length)
		return end(a, ORACLE_DROP);
	a->service = find(s->world, s->family, q.source, q.protocol, get(u, 2));
	if (!a->service)
		return end(a, ORACLE_PASS);
	if (memcmp(q.source, s->destination, s->family == 4 ? 4 : 16) != 0)
		return end(a, ORACLE_DROP);
	a->flow = flow_key(s->family, q.protocol, q.destination, u + 2, q.source, u);
	a->fits = s->length + a->service->outer <= ORACLE_MTU;
	end(a, a->fits ? ORACLE_ERROR : ORACLE_DROP);
}

static void judge_icmp(const struct seen *s, struct oracle_answer *a)
{
	const uint8_t *u = s->ip + s->at;

	if (s->at + 8 > s->length)
		return end(a, ORACLE_DROP);
	if (u[0] == (s->family == 4 ? 8 : 128) && u[1] == 0) {
		if (s->at != (s->family == 4 ? 20 : 40))
			return end(a, ORACLE_PASS);
		return end(a, may_be_a_client(s) ? ORACLE_ECHO : ORACLE_DROP);
	}
	if (s->family == 4 ? u[0] == 3 || u[0] == 11 || u[0] == 12 : u[0] >= 1 && u[0] <= 4)
		return judge_error(s, a);
	end(a, ORACLE_PASS);
}

static void judge_fragment(struct seen *s, struct oracle_answer *a)
{
	enum looks looks = SOUND;

	if (s->protocol == (s->family == 4 ? 1 : 58))
		return end(a, ORACLE_PASS);
	if ((long)s->offset + (long)s->length - (long)s->at > 65535)
		return end(a, ORACLE_DROP);
	a->is_fragment = true;
	a->datagram = datagram_key(s);
	if (s->offset)
		return end(a, ORACLE_FOLLOW);
	if (s->family == 6)
		looks = walk(s);
	if (looks == SOUND)
		looks = look_at_upper(s);
	if (looks != SOUND)
		return end(a, ORACLE_DROP);
	if (s->protocol == 6 || s->protocol == 17)
		judge_flow(s, a);
	else
		end(a, s->protocol == 4 || s->protocol == 41 ? ORACLE_DROP : ORACLE_PASS);
	a->is_first = a->verdict == ORACLE_PASS || a->reached;
}

static void judge(struct seen *s, enum looks looks, struct oracle_answer *a)
{
	bool vip = looks != NO_IP && is_vip(s->world, s->family, s->destination);

	if (looks == NO_IP)
		return end(a, ORACLE_PASS);
	if (looks == SOUND)
		looks = look_at_upper(s);
	if (looks == SOUND && (s->protocol == 6 || s->protocol == 17))
		return judge_flow(s, a);
	if ((looks == SOUND || looks == FRAGMENT) && (s->protocol == 4 || s->protocol == 41) &&
	    (vip || is_own(s)))
		return end(a, ORACLE_DROP);
	if (!vip)
		return end(a, ORACLE_PASS);
	if (looks == FRAGMENT)
		return judge_fragment(s, a);
	if (looks != SOUND)
		return end(a, ORACLE_DROP);
	if (s->protocol == (s->family == 4 ? 1 : 58))
		return judge_icmp(s, a);
	end(a, ORACLE_PASS);
}

void oracle_ask(const struct oracle_world *world, const uint8_t *frame, size_t length,
		struct oracle_answer *a)
{
	struct seen s = { .world = world };
	enum looks looks = NO_IP;
	uint32_t type = 0;
	size_t at = 14;

	memset(a, 0, sizeof(*a));
	if (length >= 14)
		type = get(frame + 12, 2);
	for (int tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); tags++, at += 4)
		type = length >= at + 4 ? get(frame + at + 2, 2) : 0;
	s.ip = frame + at;
	s.room = length >= at ? length - at : 0;
	if (type == 0x0800)
		looks = look_at_ipv4(&s);
	else if (type == 0x86dd)
		looks = look_at_ipv6(&s);
	a->l3 = at;
	judge(&s, looks, a);
	a->length = s.length;
}

static uint16_t icmp_sum(const uint8_t *ip, size_t at, size_t length)
{
	if (ip[0] >> 4 == 4)
		return ones_sum(ip + at, length - at, 0);
	return ones_sum(ip + at, length - at, ones_sum(ip + 8, 32, length - at + 58));
}

static const char *check_frame(const uint8_t *frame, size_t l3, const uint8_t *out)
{
	if (memcmp(out, frame + 6, 6) != 0 || memcmp(out + 6, frame, 6) != 0)
		return "the MAC addresses are not swapped";
	return memcmp(out + 12, frame + 12, l3 - 12) != 0 ? "the tags have changed" : NULL;
}

static const char *check_addresses(const uint8_t *ip, const uint8_t *out)
{
	size_t at = ip[0] >> 4 == 4 ? 12 : 8, length = ip[0] >> 4 == 4 ? 4 : 16;

	return memcmp(out + at, ip + at + length, length) ||
			       memcmp(out + at + length, ip + at, length)
		       ? "the addresses are not swapped"
		       : NULL;
}

const char *oracle_check_echo(const uint8_t *frame, const struct oracle_answer *a,
			      const uint8_t *out, size_t out_length)
{
	const uint8_t *ip = frame + a->l3, *answer = out + a->l3;
	bool v4 = ip[0] >> 4 == 4;
	size_t at = v4 ? (ip[0] & 15) * 4 : 40;
	const char *fault = check_frame(frame, a->l3, out);

	if (!fault)
		fault = check_addresses(ip, answer);
	if (fault || out_length < a->l3 + a->length)
		return fault ? fault : "the answer is too short";
	if (v4 && ones_sum(answer, at, 0) != 0xffff)
		return "the answer's IPv4 checksum";
	if (answer[v4 ? 8 : 7] != 64)
		return "the answer's TTL";
	if (v4 || ip[6] == 58) {
		if (answer[at] != (v4 ? 0 : 129) ||
		    memcmp(answer + at + 4, ip + at + 4, a->length - at - 4))
			return "the answer's type, or its text";
		if (icmp_sum(ip, at, a->length) % 0xffff !=
		    icmp_sum(answer, at, a->length) % 0xffff)
			return "a good checksum has become a bad one, or the other way";
	}
	return NULL;
}

const char *oracle_check_too_big(const uint8_t *frame, const struct oracle_answer *a,
				 const uint8_t *out, size_t out_length)
{
	const uint8_t *ip = frame + a->l3, *answer = out + a->l3;
	bool v4 = ip[0] >> 4 == 4;
	size_t at = v4 ? 20 : 40, length = v4 ? 576 : 1280;
	const char *fault = check_frame(frame, a->l3, out);

	if (!fault && out_length != a->l3 + length)
		fault = "the answer's length";
	if (!fault)
		fault = check_addresses(ip, answer);
	if (fault)
		return fault;
	if (v4 && (answer[0] != 0x45 || get(answer + 2, 2) != 576 ||
		   ones_sum(answer, 20, 0) != 0xffff || answer[9] != 1))
		return "the answer's IPv4 header";
	if (!v4 && (answer[0] != 0x60 || get(answer + 4, 2) != 1240 || answer[6] != 58))
		return "the answer's IPv6 header";
	if (icmp_sum(answer, at, length) != 0xffff)
		return "the answer's ICMP checksum";
	if (get(answer + at, 2) != (v4 ? 0x0304 : 0x0200) ||
	    get(answer + at + 4, 4) != ORACLE_MTU - a->service->outer)
		return "the answer's type, code or MTU";
	return memcmp(answer + at + 8, ip, length - at - 8) ? "the answer's quote" : NULL;
}
