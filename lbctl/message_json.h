/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages as JSON, by their own descriptions: so what a program says can be shown, whatever it is,
 * and the files in proto/ document it. */
#ifndef HF_LBCTL_MESSAGE_JSON_H
#define HF_LBCTL_MESSAGE_JSON_H

#include <jansson.h>
#include <protobuf-c/protobuf-c.h>

/*
 * A new object, with a member for each field, named as in proto/. Of a oneof there is the one that
 * is set; a message that is not there is left out. Ids and digests (fixed64) are texts, "0x...",
 * for they are too large for JSON's numbers; bytes are an address, if they have the size of one, or
 * in hexadecimal digits. NULL: no memory.
 */
json_t *hf_json_of_message(const ProtobufCMessage *message);

#endif
