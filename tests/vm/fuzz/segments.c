// SPDX-License-Identifier: GPL-2.0-only
/* Aggregates: what a socket sends with UDP_SEGMENT passes as one packet. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include "fuzz.h"

union endpoint {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static union endpoint endpoint(const struct path *p, const uint8_t *address, uint16_t port)
{
	union endpoint e = { .sa.sa_family = p->v6 ? AF_INET6 : AF_INET };

	if (p->v6) {
		memcpy(&e.in6.sin6_addr, address, 16);
		e.in6.sin6_port = htons(port);
	} else {
		memcpy(&e.in.sin_addr, address, 4);
		e.in.sin_port = htons(port);
	}
	return e;
}

/* A socket of each family; its address and port are the kernel's choice. */
static int sockets(bool v6)
{
	static int fd[2];

	if (!fd[v6])
		fd[v6] = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM, 0);
	if (fd[v6] < 0)
		die("socket", strerror(errno));
	return fd[v6];
}

static void send_as(const struct path *p, uint8_t *bytes, size_t len, uint16_t size)
{
	union endpoint to = endpoint(p, p->dst, p->dport);
	char control[CMSG_SPACE(sizeof(size))] = "";
	struct iovec iov = { bytes, len };
	struct msghdr m = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
	sendmsg(sockets(p->v6), &m, 0);	/* whether it can be sent or not */
}

/*
 * Up to 64 datagrams, of which the last may be shorter, in about so many bytes; returns
 * their length, and in @size that of each.
 */
size_t put_segments(uint8_t *to, const struct service *s, size_t room, size_t *size)
{
	uint32_t n = 1 + draw(chance(80) ? 6 : 64);
	size_t len = 0;

	*size = chance(80) ? 40 + draw(60) : 1 + draw(900);
	while (n-- && len + *size < room)
		len += put_segment(to + len, s, *size);
	return len > *size && chance(30) ? len - draw((uint32_t)*size) : len;
}

/* From a socket, so from the client itself. */
void send_segments(const struct path *p, const struct service *s)
{
	static uint8_t bytes[65536];
	size_t size, len = put_segments(bytes, s, 60000, &size);

	if (!ring_note(bytes, len))
		return;
	ring_flush();
	send_as(p, bytes, len, (uint16_t)size);
}
