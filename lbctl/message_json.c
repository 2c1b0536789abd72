// SPDX-License-Identifier: BSD-2-Clause
#include "lbctl/message_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lbctl/json.h"
#include "lib/address.h"

static json_t *of_bytes(const ProtobufCBinaryData *bytes)
{
	char text[2 * 64 + 1] = "", address_text[HF_ADDRESS_TEXT];

	if (bytes->len == 4 || bytes->len == 16) {
		struct hf_address address = { .family = bytes->len == 4 ? 4 : 6 };

		memcpy(address.word, bytes->data, bytes->len);
		return json_string(hf_address_format(&address, address_text));
	}
	for (size_t i = 0; i < bytes->len && i < 64; i++)
		snprintf(text + 2 * i, 3, "%02x", bytes->data[i]);
	return json_string(text);
}

static json_t *of_value(const ProtobufCFieldDescriptor *field, const void *at)
{
	char text[24];
	const ProtobufCEnumValue *value;

	switch (field->type) {
	case PROTOBUF_C_TYPE_FIXED64:
		snprintf(text, sizeof(text), "0x%016" PRIx64, *(const uint64_t *)at);
		return json_string(text);
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
		return json_integer(*(const int64_t *)at);
	case PROTOBUF_C_TYPE_UINT32:
	case PROTOBUF_C_TYPE_FIXED32:
		return json_integer(*(const uint32_t *)at);
	case PROTOBUF_C_TYPE_BOOL:
		return json_boolean(*(const protobuf_c_boolean *)at);
	case PROTOBUF_C_TYPE_STRING:
		return hf_json_clean(*(char *const *)at);
	case PROTOBUF_C_TYPE_BYTES:
		return of_bytes(at);
	case PROTOBUF_C_TYPE_MESSAGE:
		return hf_json_of_message(*(ProtobufCMessage *const *)at);
	case PROTOBUF_C_TYPE_ENUM:
		value = protobuf_c_enum_descriptor_get_value(field->descriptor, *(const int *)at);
		return value ? json_string(value->name) : json_integer(*(const int *)at);
	default:
		return json_null();
	}
}

static size_t size_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_UINT64:
	case PROTOBUF_C_TYPE_INT64:
		return sizeof(uint64_t);
	case PROTOBUF_C_TYPE_BOOL:
		return sizeof(protobuf_c_boolean);
	case PROTOBUF_C_TYPE_BYTES:
		return sizeof(ProtobufCBinaryData);
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_MESSAGE:
		return sizeof(void *);
	default:
		return sizeof(uint32_t);
	}
}

static json_t *of_list(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message;
	size_t count = *(const size_t *)(base + field->quantifier_offset);
	const char *values = *(char *const *)(base + field->offset);
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, of_value(field, values + i * size_of(field->type)));
	return list;
}

static bool is_there(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field)
{
	const char *base = (const char *)message;

	if (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF)
		return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
	return field->label == PROTOBUF_C_LABEL_REPEATED ||
	       field->type != PROTOBUF_C_TYPE_MESSAGE || *(void *const *)(base + field->offset);
}

json_t *hf_json_of_message(const ProtobufCMessage *message)
{
	json_t *object = json_object();

	for (unsigned int i = 0; i < message->descriptor->n_fields; i++) {
		const ProtobufCFieldDescriptor *field = &message->descriptor->fields[i];

		if (!is_there(message, field))
			continue;
		json_object_set_new(
			object, field->name,
			field->label == PROTOBUF_C_LABEL_REPEATED
				? of_list(message, field)
				: of_value(field, (const char *)message + field->offset));
	}
	return object;
}
