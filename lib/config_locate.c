// SPDX-License-Identifier: BSD-2-Clause
/*
 * Where in the file a value stands. The schema reader keeps no lines, so when a check fails the
 * text is read once more, as a tree of nodes with marks, and the value's path is walked down.
 */
#include "lib/config_internal.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

static yaml_node_t *child_by_key(yaml_document_t *tree, yaml_node_t *node, const char *key,
				 size_t length)
{
	yaml_node_pair_t *pair;

	if (node->type != YAML_MAPPING_NODE)
		return NULL;
	for (pair = node->data.mapping.pairs.start; pair < node->data.mapping.pairs.top; pair++) {
		yaml_node_t *name = yaml_document_get_node(tree, pair->key);

		if (name->type == YAML_SCALAR_NODE && name->data.scalar.length == length &&
		    memcmp(name->data.scalar.value, key, length) == 0)
			return yaml_document_get_node(tree, pair->value);
	}
	return NULL;
}

static yaml_node_t *child_by_index(yaml_document_t *tree, yaml_node_t *node, long index)
{
	yaml_node_item_t *item;

	if (node->type != YAML_SEQUENCE_NODE)
		return NULL;
	item = node->data.sequence.items.start + index;
	return item < node->data.sequence.items.top ? yaml_document_get_node(tree, *item) : NULL;
}

static unsigned long walk(yaml_document_t *tree, const char *path)
{
	yaml_node_t *node = yaml_document_get_root_node(tree);
	unsigned long line = 1;

	while (node) {
		line = node->start_mark.line + 1;
		if (*path == '[') {
			node = child_by_index(tree, node, strtol(path + 1, (char **)&path, 10));
			path += *path == ']';
		} else {
			path += *path == '.';
			if (!*path)
				break;
			node = child_by_key(tree, node, path, strcspn(path, ".["));
			path += strcspn(path, ".[");
		}
	}
	return line;
}

unsigned long hf_config_locate(const struct hf_config_text *text, const char *path)
{
	yaml_document_t tree;
	yaml_parser_t parser;
	unsigned long line = 1;

	if (!yaml_parser_initialize(&parser))
		return line;
	yaml_parser_set_input_string(&parser, (unsigned char *)text->bytes, text->length);
	if (yaml_parser_load(&parser, &tree)) {
		line = walk(&tree, path);
		yaml_document_delete(&tree);
	}
	yaml_parser_delete(&parser);
	return line;
}

unsigned long hf_config_locate_key(const struct hf_config_text *text, const char *key,
				   unsigned long from)
{
	unsigned long line = 0;
	yaml_parser_t parser;
	yaml_token_t token;
	bool is_key = false, more = true;

	if (!yaml_parser_initialize(&parser))
		return 0;
	yaml_parser_set_input_string(&parser, (unsigned char *)text->bytes, text->length);
	while (more && !line && yaml_parser_scan(&parser, &token)) {
		if (is_key && token.type == YAML_SCALAR_TOKEN &&
		    token.start_mark.line + 1 >= from &&
		    strcmp((char *)token.data.scalar.value, key) == 0)
			line = token.start_mark.line + 1;
		is_key = token.type == YAML_KEY_TOKEN;
		more = token.type != YAML_STREAM_END_TOKEN && token.type != YAML_NO_TOKEN;
		yaml_token_delete(&token);
	}
	yaml_parser_delete(&parser);
	return line;
}
