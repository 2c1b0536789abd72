// SPDX-License-Identifier: BSD-2-Clause
#include "bgp/bird_conf.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

bool hf_neighbour_read(const char *text, uint32_t number, struct hf_neighbour_word *n)
{
	const char *equals = strchr(text, '='), *at = strrchr(text, '@');
	char address[HF_ADDRESS_TEXT];
	char *end;
	unsigned long as;

	if (!at || (equals && equals > at))
		return false;
	snprintf(n->name, sizeof(n->name), "spine%u", number);
	if (equals) {
		snprintf(n->name, sizeof(n->name), "%.*s", (int)(equals - text), text);
		text = equals + 1;
	}
	/* BIRD's symbols; shorter ones may be words of its own. */
	if (strlen(n->name) < 3 ||
	    strspn(n->name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") !=
		    strlen(n->name))
		return false;
	if ((size_t)(at - text) >= sizeof(address))
		return false;
	snprintf(address, sizeof(address), "%.*s", (int)(at - text), text);
	as = strtoul(at + 1, &end, 10);
	n->as = (uint32_t)as;
	return hf_address_parse(address, &n->address) == 0 && *end == '\0' && as > 0 &&
	       as <= UINT32_MAX;
}

static bool is_vip(const struct hf_config *config, const struct hf_address *address)
{
	for (uint32_t i = 0; i < config->service_count; i++)
		if (hf_address_equal(&config->services[i].address, address))
			return true;
	return false;
}

static bool read_sockaddr(const struct sockaddr *from, struct hf_address *address)
{
	*address = (struct hf_address){ 0 };
	if (!from || (from->sa_family != AF_INET && from->sa_family != AF_INET6))
		return false;
	address->family = from->sa_family == AF_INET ? 4 : 6;
	if (address->family == 4)
		memcpy(address->word, &((const struct sockaddr_in *)from)->sin_addr, 4);
	else
		memcpy(address->word, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
	return true;
}

/* The address that stands for the node, whichever of its links are up: the one for gossip, or one
 * on the loopback device that is no VIP. Family 0: there is none. */
static struct hf_address own_address(const struct hf_config *config, uint32_t family)
{
	struct hf_address own = config->node.gossip_address, address;
	struct ifaddrs *all = NULL;

	if (own.family == family)
		return own;
	own.family = 0;
	if (getifaddrs(&all) < 0)
		return own;
	for (struct ifaddrs *i = all; i && !own.family; i = i->ifa_next)
		if ((i->ifa_flags & IFF_LOOPBACK) && read_sockaddr(i->ifa_addr, &address) &&
		    address.family == family && hf_address_is_routable(&address) &&
		    !is_vip(config, &address))
			own = address;
	freeifaddrs(all);
	return own;
}

static void print_head(FILE *out, const struct hf_config *config)
{
	struct hf_address own = own_address(config, 4);
	char text[HF_ADDRESS_TEXT];

	fprintf(out,
		"# BIRD 2 on node %s, by `lbbgp --print-bird-conf`: put it in /etc/bird/bird.conf, "
		"fill in what is\n# marked with TODO, and `birdc configure`. The VIPs come from "
		"the file that lbbgp writes.\n\n",
		config->node.name);
	if (own.family)
		fprintf(out, "router id %s;\n", hf_address_format(&own, text));
	else
		fprintf(out,
			"# router id 192.0.2.1;  # TODO if no interface has an IPv4 address\n");
	fprintf(out,
		"log syslog { info, remote, warning, error, auth, fatal, bug };\n\n"
		"# Looks for interfaces; hears of most changes at once all the same.\n"
		"protocol device { scan time 10; }\n\n"
		"# A peer that dies, or hangs, is noticed after 3 x 100 ms. Routers must have BFD "
		"on, too.\n"
		"protocol bfd {\n"
		"    interface \"*\" { min rx interval 100 ms; min tx interval 100 ms; multiplier "
		"3; };\n"
		"}\n\n");
}

static void print_kernel(FILE *out, const struct hf_config *config)
{
	char text[HF_ADDRESS_TEXT];

	for (uint32_t family = 4; family <= 6; family += 2) {
		struct hf_address own = own_address(config, family);

		fprintf(out,
			"protocol kernel {\n    merge paths on limit 64;\n    ipv%u { import none; "
			"export filter {\n        if source != RTS_BGP then reject;\n",
			family);
		if (own.family)
			fprintf(out, "        krt_prefsrc = %s;\n", hf_address_format(&own, text));
		fprintf(out, "        accept;\n    }; };\n}\n");
	}
	fprintf(out, "\n");
}

/* What tunnels come from, and where gossip goes to: the network must route it to this node. */
static void print_own(FILE *out, const struct hf_config *config)
{
	const struct hf_prefix *sources[] = { &config->node.source_ipv4,
					      &config->node.source_ipv6 };
	char text[HF_ADDRESS_TEXT];

	for (int i = 0; i < 2; i++) {
		uint32_t family = i ? 6 : 4;
		struct hf_address own = own_address(config, family);

		fprintf(out, "protocol static own%u {\n    ipv%u;\n", family, family);
		if (sources[i]->address.family)
			fprintf(out, "    route %s blackhole;\n",
				hf_prefix_format(sources[i], text));
		if (own.family && !hf_prefix_contains(sources[i], &own))
			fprintf(out, "    route %s/%u blackhole;\n", hf_address_format(&own, text),
				8 * hf_address_length(family));
		fprintf(out, "}\n");
	}
	fprintf(out, "\n");
}

static void print_template(FILE *out, const struct hf_config *config)
{
	fprintf(out,
		"# Routers need nothing else of this node. Attributes are in the routes "
		"themselves: a filter that\n# added them would not have them sent again when it "
		"changes.\n"
		"filter holdfast_out {\n"
		"    if proto ~ \"holdfast*\" || proto ~ \"own*\" then accept;\n"
		"    reject;\n"
		"}\n\n"
		"template bgp holdfast_peer {\n"
		"    local as %u;\n"
		"    bfd on;\n"
		"    # BIRD's own timers take up to a minute to come back after a failure.\n"
		"    hold time 9; keepalive time 3;\n"
		"    error wait time 1,1; error forget time 10; connect delay time 1; connect "
		"retry time 1;\n"
		"    # A node that has crashed must not go on to attract packets.\n"
		"    graceful restart off; long lived graceful restart off;\n"
		"    # password \"...\";        # TCP-MD5, if the router wants it\n"
		"    # ttl security on;       # GTSM, on both ends\n"
		"}\n\n",
		config->bgp.local_as);
}

static void print_neighbour(FILE *out, const struct hf_neighbour_word *n)
{
	char text[HF_ADDRESS_TEXT];

	/* With `export table on` lbbgp sees what is really sent, without it what the filter says.
	 */
	fprintf(out,
		"protocol bgp %s from holdfast_peer {\n    neighbor %s as %u;\n    ipv%u { import "
		"all; export filter holdfast_out; next hop self; export table on; };\n}\n",
		n->name, hf_address_format(&n->address, text), n->as, n->address.family);
}

static void print_examples(FILE *out)
{
	fprintf(out,
		"# TODO: a session for each router and family, or let `lbbgp --print-bird-conf "
		"NAME=ADDRESS@AS ...`\n# write them:\n"
		"# protocol bgp spine1_v4 from holdfast_peer {\n"
		"#     neighbor 192.0.2.1 as 64601;\n"
		"#     ipv4 { import all; export filter holdfast_out; next hop self; export table "
		"on; };\n# }\n");
}

static void print_more(FILE *out)
{
	fputs("\n# Unnumbered: both families over one link's IPv6 link-local addresses (RFC 8950). "
	      "The "
	      "router begins: FRR\n"
	      "# (`neighbor eth0 interface remote-as external`) when it hears a router "
	      "advertisement.\n"
	      "# protocol radv { interface \"eth0\" { max ra interval 10; default lifetime 0; }; "
	      "}\n"
	      "# protocol bgp spine3 from holdfast_peer {\n"
	      "#     interface \"eth0\"; neighbor range fe80::/10 external;\n"
	      "#     dynamic name \"spine3_\";     # the session is then spine3_1\n"
	      "#     ipv4 { import all; export filter holdfast_out; extended next hop on; export "
	      "table on; };\n"
	      "#     ipv6 { import all; export filter holdfast_out; export table on; };\n"
	      "# }\n"
	      "# Multihop: a router that is not on the link.\n"
	      "# protocol bgp far from holdfast_peer {\n"
	      "#     multihop 2; bfd off;\n"
	      "#     neighbor 192.0.2.2 as 64601; source address 192.0.2.1;\n"
	      "#     ipv4 { import none; export filter holdfast_out; next hop self; export table "
	      "on; "
	      "};\n"
	      "# }\n"
	      "# All paths of a route reflector, not only its best: `add paths rx;` in the "
	      "channel.\n",
	      out);
}

void hf_print_bird_conf(FILE *out, const struct hf_config *config,
			const struct hf_neighbour_word *neighbours, uint32_t count)
{
	print_head(out, config);
	print_kernel(out, config);
	print_own(out, config);
	fprintf(out,
		"# The folder must be there; the star lets BIRD start before lbbgp has written the "
		"file.\ninclude "
		"\"%.*s/*.conf\";\n\n",
		(int)(strrchr(config->bgp.include, '/') - config->bgp.include),
		config->bgp.include);
	print_template(out, config);
	for (uint32_t i = 0; i < count; i++)
		print_neighbour(out, &neighbours[i]);
	if (!count)
		print_examples(out);
	print_more(out);
}
