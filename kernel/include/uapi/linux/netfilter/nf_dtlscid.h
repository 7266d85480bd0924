/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * DTLS Connection IDs in netfilter: what every front-end (xtables, nftables)
 * and the parser have in common.
 */
#ifndef _UAPI_NF_DTLSCID_H
#define _UAPI_NF_DTLSCID_H

#include <linux/types.h>

/**
 * struct nf_dtlscid_format - how the nodes build their CIDs
 * @id_offset:	bytes of the CID before the node id, 0..254
 * @id_length:	bytes of the node id, 1..4; the id is big-endian
 * @cid_length:	bytes of the CID, 1..255, not less than id_offset + id_length;
 *		0: not known.  The length is not on the wire (RFC 9146 section 4,
 *		RFC 9147 section 4), so without it a datagram can only be read
 *		up to the node id of its first CID.
 * @pad:	0
 *
 * id_offset + id_length is at most 255, the longest CID (RFC 9146 section 3).
 */
struct nf_dtlscid_format {
	__u8	id_offset;
	__u8	id_length;
	__u8	cid_length;
	__u8	pad;
};

#define NF_DTLSCID_ID_LENGTH_MAX	4
#define NF_DTLSCID_CID_LENGTH_MAX	255

/**
 * enum nf_dtlscid_record - what a datagram holds
 *
 * Each record is of exactly one kind.  The last three speak of a whole
 * datagram and exclude all others.
 *
 * @NF_DTLSCID_RECORD_CID: a record with a CID: DTLS 1.2 type 25 (RFC 9146
 *	section 4) or a DTLS 1.3 ciphertext with the C bit (RFC 9147 section 4)
 * @NF_DTLSCID_RECORD_CLIENT_HELLO: a plaintext handshake record that begins
 *	with a ClientHello
 * @NF_DTLSCID_RECORD_HANDSHAKE: any other plaintext handshake record
 * @NF_DTLSCID_RECORD_ENCRYPTED: a protected record without a CID
 * @NF_DTLSCID_RECORD_ALERT: a plaintext alert
 * @NF_DTLSCID_RECORD_ACK: a plaintext ACK (RFC 9147 section 7)
 * @NF_DTLSCID_RECORD_OTHER: any other plaintext record: change_cipher_spec,
 *	application data, heartbeat, return_routability_check
 * @NF_DTLSCID_RECORD_MALFORMED: begins as DTLS and breaks its rules, or holds more
 *	than 128 records
 * @NF_DTLSCID_RECORD_MIXED: CID records whose node ids differ
 * @NF_DTLSCID_RECORD_NOT_DTLS: empty, or its first byte starts no record
 */
enum nf_dtlscid_record {
	NF_DTLSCID_RECORD_CID,
	NF_DTLSCID_RECORD_CLIENT_HELLO,
	NF_DTLSCID_RECORD_HANDSHAKE,
	NF_DTLSCID_RECORD_ENCRYPTED,
	NF_DTLSCID_RECORD_ALERT,
	NF_DTLSCID_RECORD_ACK,
	NF_DTLSCID_RECORD_OTHER,
	NF_DTLSCID_RECORD_MALFORMED,
	NF_DTLSCID_RECORD_MIXED,
	NF_DTLSCID_RECORD_NOT_DTLS,
	__NF_DTLSCID_RECORD_MAX,
};

#define NF_DTLSCID_RECORD_BIT(kind)	(1U << NF_DTLSCID_RECORD_##kind)
#define NF_DTLSCID_RECORD_ALL		((1U << __NF_DTLSCID_RECORD_MAX) - 1)

#endif /* _UAPI_NF_DTLSCID_H */
