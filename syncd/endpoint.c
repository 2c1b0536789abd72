// SPDX-License-Identifier: BSD-2-Clause
#include "syncd/endpoint.h"

#include <netinet/in.h>
#include <string.h>

socklen_t hf_endpoint_set(const struct hf_endpoint *endpoint, struct sockaddr_storage *address)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (endpoint->address.family == 4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(endpoint->port);
		memcpy(&v4->sin_addr, endpoint->address.word, 4);
		return sizeof(*v4);
	}
	if (endpoint->address.family != 6)
		return 0;
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(endpoint->port);
	memcpy(&v6->sin6_addr, endpoint->address.word, 16);
	return sizeof(*v6);
}

bool hf_endpoint_get(const struct sockaddr *address, struct hf_endpoint *endpoint)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

	memset(endpoint, 0, sizeof(*endpoint));
	if (address->sa_family == AF_INET) {
		endpoint->address.family = 4;
		endpoint->port = ntohs(v4->sin_port);
		memcpy(endpoint->address.word, &v4->sin_addr, 4);
		return true;
	}
	if (address->sa_family != AF_INET6)
		return false;
	endpoint->address.family = 6;
	endpoint->port = ntohs(v6->sin6_port);
	memcpy(endpoint->address.word, &v6->sin6_addr, 16);
	return true;
}
