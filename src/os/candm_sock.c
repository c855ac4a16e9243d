/* SPDX-License-Identifier: Apache-2.0 */
#include "os/candm_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/files.h"

#define FOLDER_MODE 0770 /* of the command socket; the one that chrony's has */

void candm_sock_init(struct candm_sock *s)
{
	*s = (struct candm_sock){ .fds = { -1, -1, -1 } };
}

/* --- Opening --- */

/* The folder of @path, "/" for one in the root. */
static void folder_of(const char *path, char *to, size_t size)
{
	const char *slash = strrchr(path, '/');
	int n = slash && slash > path ? (int)(slash - path) : 1;

	snprintf(to, size, "%.*s", n, slash ? path : ".");
}

static enum candm_sock_outcome check_folder(const struct candm_sock_unix *conf, const char *folder,
					    int *reterr)
{
	struct stat st;
	int r;

	if (lstat(folder, &st) < 0) {
		r = errno == ENOENT ? folder_make(folder, FOLDER_MODE, conf->uid, conf->guests) : -errno;
		*reterr = r;
		return r < 0 ? CANDM_SOCK_FAILED : CANDM_SOCK_OPEN;
	}
	if (!S_ISDIR(st.st_mode)) {
		*reterr = -ENOTDIR;
		return CANDM_SOCK_FAILED;
	}
	if (st.st_uid != conf->uid) {
		*reterr = (int)st.st_uid;
		return CANDM_SOCK_FOREIGN;
	}
	if (!conf->is_open_folder && ((st.st_gid != conf->gid && st.st_gid != conf->guests) ||
				      (st.st_mode & 07777 & ~(mode_t)FOLDER_MODE))) {
		*reterr = (int)(st.st_mode & 07777);
		return CANDM_SOCK_LOOSE;
	}
	return CANDM_SOCK_OPEN;
}

/* Does a living process receive what is sent to @address? */
static bool is_alive(const struct sockaddr_un *address)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool is_connected;

	if (fd < 0)
		return false;
	is_connected = connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
	close(fd);
	return is_connected;
}

static int bind_unix(int fd, const struct sockaddr_un *address, const struct candm_sock_unix *conf)
{
	struct stat st;
	mode_t mask;
	int r;

	if (lstat(address->sun_path, &st) == 0) {
		/* What is no socket was put there by somebody else, for something else. */
		if (!S_ISSOCK(st.st_mode))
			return -EEXIST;
		if (is_alive(address))
			return -EADDRINUSE;
		(void)unlink(address->sun_path);
	}
	/* Not by chmod, which whoever owns the folder could lead astray. */
	mask = umask(conf->is_open_folder ? 0117 : 0111);
	r = bind(fd, (const struct sockaddr *)address, sizeof *address) < 0 ? -errno : 0;
	(void)umask(mask);
	if (r == 0 && geteuid() != conf->uid &&
	    lchown(address->sun_path, conf->uid, conf->gid) < 0) {
		r = -errno;
		(void)unlink(address->sun_path);
	}
	return r;
}

enum candm_sock_outcome candm_sock_open_unix(struct candm_sock *s,
					     const struct candm_sock_unix *conf, int *reterr)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char folder[sizeof address.sun_path];
	enum candm_sock_outcome outcome;
	int fd, r;

	if (strlen(conf->path) >= sizeof address.sun_path) {
		*reterr = -ENAMETOOLONG;
		return CANDM_SOCK_FAILED;
	}
	memcpy(address.sun_path, conf->path, strlen(conf->path));
	folder_of(conf->path, folder, sizeof folder);
	outcome = check_folder(conf, folder, reterr);
	if (outcome != CANDM_SOCK_OPEN)
		return outcome;

	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	r = fd < 0 ? -errno : bind_unix(fd, &address, conf);
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		*reterr = r;
		return r == -EADDRINUSE ? CANDM_SOCK_TAKEN : CANDM_SOCK_FAILED;
	}
	s->fds[CANDM_UNIX] = fd;
	memcpy(s->path, address.sun_path, sizeof s->path);
	return CANDM_SOCK_OPEN;
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof value) < 0 ? -errno : 0;
}

static int bind_udp(int fd, const struct candm_sock_udp *conf)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(conf->port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(conf->port) };
	bool is_v6 = conf->address.family == CANDM_IPV6;
	int r;

	memcpy(&in.sin_addr, conf->address.bytes, sizeof in.sin_addr);
	memcpy(&in6.sin6_addr, conf->address.bytes, sizeof in6.sin6_addr);
	/* The answer must come from the address that was asked, whichever of ours that is. */
	r = is_v6 ? set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) : set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (r == 0 && is_v6)
		r = set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	/* As chronyd: the interface may get its address later. */
	if (r == 0)
		(void)set(fd, IPPROTO_IP, IP_FREEBIND, 1);
	if (r == 0 && *conf->device &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, conf->device,
		       (socklen_t)strlen(conf->device)) < 0)
		r = -errno;
	if (r < 0)
		return r;
	if (is_v6)
		return bind(fd, (struct sockaddr *)&in6, sizeof in6) < 0 ? -errno : 0;
	return bind(fd, (struct sockaddr *)&in, sizeof in) < 0 ? -errno : 0;
}

int candm_sock_open_udp(struct candm_sock *s, const struct candm_sock_udp *conf)
{
	bool is_v6 = conf->address.family == CANDM_IPV6;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r = fd < 0 ? -errno : bind_udp(fd, conf);

	if (r < 0) {
		if (fd >= 0)
			close(fd);
		return r;
	}
	s->fds[is_v6 ? CANDM_UDP6 : CANDM_UDP4] = fd;
	return 0;
}

void candm_sock_fini(struct candm_sock *s)
{
	for (size_t i = 0; i < CANDM_SOCK_FDS; i++) {
		if (s->fds[i] >= 0)
			close(s->fds[i]);
		s->fds[i] = -1;
	}
	if (*s->path)
		(void)unlink(s->path);
	*s->path = '\0';
}

/* --- One turn --- */

size_t candm_sock_prepare(const struct candm_sock *s, struct pollfd *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < CANDM_SOCK_FDS; i++)
		if (s->fds[i] >= 0)
			ret[n++] = (struct pollfd){ .fd = s->fds[i], .events = POLLIN };
	return n;
}

void candm_sock_dispatch(struct candm_sock *s, const struct pollfd *fds, size_t n)
{
	s->budget = CANDM_SOCK_BUDGET;
	for (size_t i = 0; i < CANDM_SOCK_FDS; i++) {
		s->is_readable[i] = false;
		for (size_t k = 0; k < n; k++)
			if (s->fds[i] >= 0 && fds[k].fd == s->fds[i] && fds[k].revents)
				s->is_readable[i] = true;
	}
}

/* Room for the one control message that either family brings. */
union packet_info {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

static void read_info(struct msghdr *message, struct candm_datagram *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		struct in_pktinfo in;
		struct in6_pktinfo in6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&in, CMSG_DATA(c), sizeof in);
			ret->to.family = CANDM_IPV4;
			memcpy(ret->to.bytes, &in.ipi_spec_dst, sizeof in.ipi_spec_dst);
			ret->interface = (unsigned)in.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&in6, CMSG_DATA(c), sizeof in6);
			ret->to.family = CANDM_IPV6;
			memcpy(ret->to.bytes, &in6.ipi6_addr, sizeof in6.ipi6_addr);
			ret->interface = in6.ipi6_ifindex;
		}
	}
}

static void read_sender(struct candm_datagram *d)
{
	switch (d->transport) {
	case CANDM_UNIX:
		d->is_local = true;
		return;
	case CANDM_UDP4:
		d->sender.family = CANDM_IPV4;
		memcpy(d->sender.bytes, &d->from.in.sin_addr, sizeof d->from.in.sin_addr);
		d->is_local = d->sender.bytes[0] == 127;
		return;
	case CANDM_UDP6:
		d->sender.family = CANDM_IPV6;
		memcpy(d->sender.bytes, &d->from.in6.sin6_addr, sizeof d->from.in6.sin6_addr);
		d->is_local = IN6_IS_ADDR_LOOPBACK(&d->from.in6.sin6_addr);
		return;
	}
}

/* False when there is nothing to read. */
static bool receive(struct candm_sock *s, enum candm_transport transport,
		    struct candm_datagram *ret)
{
	union packet_info info;
	struct iovec data = { s->bytes, sizeof s->bytes };
	struct msghdr message = {
		.msg_name = &ret->from,
		.msg_namelen = sizeof ret->from,
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = info.bytes,
		.msg_controllen = sizeof info.bytes,
	};
	ssize_t n;

	*ret = (struct candm_datagram){ .transport = transport, .bytes = s->bytes };
	n = recvmsg(s->fds[transport], &message, 0);
	if (n < 0)
		return false;
	ret->n = (size_t)n;
	ret->from_length = message.msg_namelen;
	read_info(&message, ret);
	read_sender(ret);
	return true;
}

bool candm_sock_pop(struct candm_sock *s, struct candm_datagram *ret)
{
	for (unsigned i = 0; i < CANDM_SOCK_FDS && s->budget > 0; i++) {
		unsigned t = (s->turn + i) % CANDM_SOCK_FDS;

		if (!s->is_readable[t])
			continue;
		s->is_readable[t] = receive(s, (enum candm_transport)t, ret);
		if (!s->is_readable[t])
			continue;
		s->turn = (t + 1) % CANDM_SOCK_FDS;
		s->budget--;
		return true;
	}
	return false;
}

/* Only a link's own addresses need the way back over the same interface. */
static bool is_link_local(const struct candm_address *a)
{
	return a->family == CANDM_IPV6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

static void write_info(const struct candm_datagram *d, union packet_info *info,
		       struct msghdr *message)
{
	struct in_pktinfo in = { 0 };
	struct in6_pktinfo in6 = { 0 };
	bool is_v6 = d->to.family == CANDM_IPV6;
	struct cmsghdr *c;

	if (d->to.family == CANDM_UNSPECIFIED)
		return;
	memset(info, 0, sizeof *info);
	memcpy(&in.ipi_spec_dst, d->to.bytes, sizeof in.ipi_spec_dst);
	memcpy(&in6.ipi6_addr, d->to.bytes, sizeof in6.ipi6_addr);
	in6.ipi6_ifindex = is_link_local(&d->sender) ? d->interface : 0;
	message->msg_control = info->bytes;
	message->msg_controllen = is_v6 ? CMSG_SPACE(sizeof in6) : CMSG_SPACE(sizeof in);
	c = CMSG_FIRSTHDR(message);
	c->cmsg_level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	c->cmsg_type = is_v6 ? IPV6_PKTINFO : IP_PKTINFO;
	c->cmsg_len = is_v6 ? CMSG_LEN(sizeof in6) : CMSG_LEN(sizeof in);
	if (is_v6)
		memcpy(CMSG_DATA(c), &in6, sizeof in6);
	else
		memcpy(CMSG_DATA(c), &in, sizeof in);
}

void candm_sock_reply(struct candm_sock *s, const struct candm_datagram *datagram,
		      const uint8_t *bytes, size_t n)
{
	union packet_info info;
	struct iovec data = { (void *)(uintptr_t)bytes, n };
	struct msghdr message = {
		.msg_name = (void *)(uintptr_t)&datagram->from,
		.msg_namelen = datagram->from_length,
		.msg_iov = &data,
		.msg_iovlen = 1,
	};

	/* A unix socket without a path has no more than its family for a name. */
	if (datagram->from_length <= sizeof(sa_family_t))
		return;
	write_info(datagram, &info, &message);
	(void)sendmsg(s->fds[datagram->transport], &message, MSG_NOSIGNAL);
}
