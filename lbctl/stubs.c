#include "lbctl/command.h"
int hf_command_top(const struct hf_context *c){(void)c;return 1;}
int hf_command_doctor(const struct hf_context *c){(void)c;return 1;}
int hf_command_support_bundle(const struct hf_context *c){(void)c;return 1;}
