// SPDX-License-Identifier: GPL-2.0-only
/*
 * flows: send datagrams of many flows, and say what one costs.
 *
 * Each flow has a source address of its own, base + N, so that one socket
 * serves for all of them and every packet takes the same way.  The byte at
 * offset NODE of the datagram is N % NODES.
 *
 * To an IPv6 address the datagram begins with a Destination Options header that
 * holds an LBSP option; segment 1 of that is the source address.
 *
 * The time stamp counter counts instructions under QEMU's -icount shift=0.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <x86intrin.h>

#define BASE	0x0a400001u	/* 10.64.0.1 */
#define BASE6	1		/* 2001:db8:64::1 */

#define HEADER	40		/* Destination Options, and in it */
#define CLIENT	8		/* segment 1 */

union endpoint {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static unsigned char data[1500];
static size_t data_len;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "flows: %s: %s\n", what, strerror(errno));
	exit(1);
}

static _Noreturn void usage(void)
{
	fputs("usage: flows send FIRST FLOWS PACKETS NODES NODE DST PORT HEX\n"
	      "       flows answer ADDR PORT\n", stderr);
	exit(2);
}

static union endpoint endpoint(const char *address, const char *port)
{
	union endpoint e = { .any.sa_family = strchr(address, ':') ? AF_INET6 : AF_INET };
	void *to = e.any.sa_family == AF_INET ? (void *)&e.v4.sin_addr : &e.v6.sin6_addr;

	if (inet_pton(e.any.sa_family, address, to) != 1)
		usage();
	e.v4.sin_port = htons(atoi(port));	/* where sin6_port is */
	return e;
}

static socklen_t size_of(const union endpoint *e)
{
	return e->any.sa_family == AF_INET ? sizeof(e->v4) : sizeof(e->v6);
}

/* Source addresses may be any that are routed here. */
static int bound(const union endpoint *e)
{
	int fd = socket(e->any.sa_family, SOCK_DGRAM, 0), on = 1;

	if (fd < 0 || bind(fd, &e->any, size_of(e)))
		die("socket");
	if (e->any.sa_family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on)))
		die("IPV6_FREEBIND");
	return fd;
}

static void parse_hex(const char *hex)
{
	unsigned int byte;

	for (; sscanf(hex, "%2x", &byte) == 1 && data_len < sizeof(data); hex += 2)
		data[data_len++] = byte;
}

/* The source address is chosen per datagram, ip(7): IP_PKTINFO. */
static void send_from4(int fd, union endpoint *to, uint32_t flow)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control = { .header = {
		.cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo)),
		.cmsg_level = IPPROTO_IP,
		.cmsg_type = IP_PKTINFO,
	} };
	struct iovec v = { data, data_len };
	struct msghdr m = {
		.msg_name = to, .msg_namelen = sizeof(to->v4), .msg_iov = &v, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(BASE + flow) };

	memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
	if (sendmsg(fd, &m, 0) < 0)
		die("sendmsg");
}

/* The same, and the options: RFC 3542 sections 6 and 9. */
static void send_from6(int fd, union endpoint *to, uint32_t flow)
{
	struct {
		struct cmsghdr source;
		char info[CMSG_SPACE(sizeof(struct in6_pktinfo)) - CMSG_LEN(0)];
		struct cmsghdr options;
		char header[CMSG_SPACE(HEADER) - CMSG_LEN(0)];
	} control = {
		.source = {
			.cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo)),
			.cmsg_level = IPPROTO_IPV6,
			.cmsg_type = IPV6_PKTINFO,
		},
		.options = {
			.cmsg_len = CMSG_LEN(HEADER),
			.cmsg_level = IPPROTO_IPV6,
			.cmsg_type = IPV6_DSTOPTS,
		},
	};
	struct iovec v = { data + HEADER, data_len - HEADER };
	struct msghdr m = {
		.msg_name = to, .msg_namelen = sizeof(to->v6), .msg_iov = &v, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct in6_pktinfo info = {
		.ipi6_addr.s6_addr32 = { htonl(0x20010db8), htonl(0x00640000), 0,
					 htonl(BASE6 + flow) },
	};

	memcpy(data + CLIENT, &info.ipi6_addr, sizeof(info.ipi6_addr));
	memcpy(CMSG_DATA(&control.source), &info, sizeof(info));
	memcpy(CMSG_DATA(&control.options), data, HEADER);
	if (sendmsg(fd, &m, 0) < 0)
		die("sendmsg");
}

static int command_send(char **argv)
{
	unsigned long first = atol(argv[0]), flows = atol(argv[1]), packets = atol(argv[2]);
	unsigned long nodes = atol(argv[3]), node = atol(argv[4]), i, flow = 0;
	union endpoint to = endpoint(argv[5], argv[6]), from;
	unsigned long long start;
	int fd;

	parse_hex(argv[7]);
	if (!flows || !nodes || node >= data_len)
		usage();
	if (to.any.sa_family == AF_INET6 && data_len < HEADER)
		usage();
	from = endpoint(to.any.sa_family == AF_INET ? "0.0.0.0" : "::", "40000");
	fd = bound(&from);
	start = __rdtsc();
	for (i = 0; i < packets; i++) {
		data[node] = flow % nodes;
		if (to.any.sa_family == AF_INET)
			send_from4(fd, &to, first + flow);
		else
			send_from6(fd, &to, first + flow);
		if (++flow == flows)
			flow = 0;
	}
	printf("%llu\n", (__rdtsc() - start + packets / 2) / packets);
	return 0;
}

/* Have datagrams come with the address that was asked... */
static void ask_for_address(int fd, int family)
{
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int option = family == AF_INET ? IP_PKTINFO : IPV6_RECVPKTINFO, on = 1;

	if (setsockopt(fd, level, option, &on, sizeof(on)))
		die("PKTINFO");
}

/* ... and leave from there, by whichever link. */
static void turn(struct cmsghdr *header)
{
	struct in6_pktinfo *v6 = (void *)CMSG_DATA(header);
	struct in_pktinfo *v4 = (void *)v6;

	if (header->cmsg_level == IPPROTO_IPV6) {
		v6->ipi6_ifindex = 0;
		return;
	}
	v4->ipi_spec_dst = v4->ipi_addr;
	v4->ipi_ifindex = 0;
}

/* Answers from the address that was asked, so that flows are established. */
static int command_answer(char **argv)
{
	union endpoint local = endpoint(argv[0], argv[1]), peer;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control;
	struct iovec v = { .iov_base = data };
	struct msghdr m = { .msg_name = &peer, .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = &control };
	int fd = bound(&local);
	ssize_t n;

	ask_for_address(fd, local.any.sa_family);
	for (;;) {
		m.msg_namelen = sizeof(peer);
		m.msg_controllen = sizeof(control);
		v.iov_len = sizeof(data);
		n = recvmsg(fd, &m, 0);
		if (n < 0)
			die("recvmsg");
		turn(&control.header);
		v.iov_len = n;
		if (sendmsg(fd, &m, 0) < 0)
			die("sendmsg");
	}
}

int main(int argc, char **argv)
{
	if (argc == 10 && !strcmp(argv[1], "send"))
		return command_send(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "answer"))
		return command_answer(argv + 2);
	usage();
}
