// SPDX-License-Identifier: GPL-2.0-only
/*
 * flows: send datagrams of many flows, and say what one costs.
 *
 * Each flow has a source address of its own, base + N, so that one socket
 * serves for all of them and every packet takes the same way.  The byte at
 * offset NODE of the datagram is N % NODES.
 *
 * The time stamp counter counts instructions under QEMU's -icount shift=0.
 */
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
	      "       flows answer PORT\n", stderr);
	exit(2);
}

static struct sockaddr_in endpoint(const char *address, const char *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(atoi(port)) };

	if (inet_pton(AF_INET, address, &a.sin_addr) != 1)
		usage();
	return a;
}

static void parse_hex(const char *hex)
{
	unsigned int byte;

	for (; sscanf(hex, "%2x", &byte) == 1 && data_len < sizeof(data); hex += 2)
		data[data_len++] = byte;
}

/* The source address is chosen per datagram, ip(7): IP_PKTINFO. */
static void send_from(int fd, struct sockaddr_in *to, uint32_t source)
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
		.msg_name = to, .msg_namelen = sizeof(*to), .msg_iov = &v, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct in_pktinfo info = { .ipi_spec_dst.s_addr = htonl(source) };

	memcpy(CMSG_DATA(&control.header), &info, sizeof(info));
	if (sendmsg(fd, &m, 0) < 0)
		die("sendmsg");
}

static int command_send(char **argv)
{
	unsigned long first = atol(argv[0]), flows = atol(argv[1]), packets = atol(argv[2]);
	unsigned long nodes = atol(argv[3]), node = atol(argv[4]), i, flow = 0;
	struct sockaddr_in to = endpoint(argv[5], argv[6]), from = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned long long start;

	parse_hex(argv[7]);
	from.sin_port = htons(40000);
	if (!flows || !nodes || node >= data_len)
		usage();
	if (fd < 0 || bind(fd, (void *)&from, sizeof(from)))
		die("socket");
	start = __rdtsc();
	for (i = 0; i < packets; i++) {
		data[node] = flow % nodes;
		send_from(fd, &to, BASE + first + flow);
		if (++flow == flows)
			flow = 0;
	}
	printf("%llu\n", (__rdtsc() - start + packets / 2) / packets);
	return 0;
}

/* Answers from the address that was asked, so that flows are established. */
static int command_answer(char **argv)
{
	struct sockaddr_in local = endpoint("0.0.0.0", argv[0]), peer;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(struct in_pktinfo))];
	} control;
	struct iovec v = { .iov_base = data };
	struct msghdr m = { .msg_name = &peer, .msg_iov = &v, .msg_iovlen = 1,
			    .msg_control = &control };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
	struct in_pktinfo *info = (void *)CMSG_DATA(&control.header);
	ssize_t n;

	if (fd < 0 || bind(fd, (void *)&local, sizeof(local)) ||
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)))
		die("socket");
	for (;;) {
		m.msg_namelen = sizeof(peer);
		m.msg_controllen = sizeof(control);
		v.iov_len = sizeof(data);
		n = recvmsg(fd, &m, 0);
		if (n < 0)
			die("recvmsg");
		info->ipi_spec_dst = info->ipi_addr;
		info->ipi_ifindex = 0;
		v.iov_len = n;
		if (sendmsg(fd, &m, 0) < 0)
			die("sendmsg");
	}
}

int main(int argc, char **argv)
{
	if (argc == 10 && !strcmp(argv[1], "send"))
		return command_send(argv + 2);
	if (argc == 3 && !strcmp(argv[1], "answer"))
		return command_answer(argv + 2);
	usage();
}
