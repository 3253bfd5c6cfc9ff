// The JSON-Logic filter plugin: rhizome.filter/1 over flat deltas and rhizome.filter.eval/1 over
// any JSON. Loaded by the host; the tables' functions run on the threads that abi/filter.h tags.
#include "evaluate.hpp"
#include "rhizome/plugin.hpp"

namespace rhizome::jsonlogic {
namespace {

using plugin::fail;
using plugin::guard;

constexpr std::size_t kMaxResult = 8u << 20;
// A rule's constants, texts and folded results.
constexpr std::uint64_t kProgramMemory = 8u << 20;
// Parsed data: at most 16 bytes of value for each byte of text, and keys.
constexpr std::uint64_t kDataMemory = 48 * static_cast<std::uint64_t>(kMaxData);

std::int32_t put(const rz_sink* sink, std::string_view text) {
  return sink->write(sink->context, rhizome::to_abi(text));
}

// The thrown type as JSON that fits the error block.
std::string thrown_type(const Value& thrown, Arena& arena) {
  Value type = thrown;
  if (thrown.is_object()) (void)get(thrown, "type", arena, &type);
  std::string text;
  if (type.is_string()) {
    std::string_view short_text = type.string().substr(0, 120);
    while (!short_text.empty() && short_text.size() < type.size &&
           (static_cast<unsigned char>(type.text[short_text.size()]) & 0xc0) == 0x80)
      short_text.remove_suffix(1);
    write_string(short_text, text);
    if (text.size() < 500) return text;
  } else if (write(type, 480, arena, text)) {
    return text;
  }
  return "\"an error too long to tell\"";
}

std::int32_t eval(rz_bytes rule_json, rz_bytes data_json, const rz_filter_budget* budget,
                  const rz_sink* sink, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    const rz_filter_budget filled = with_defaults(budget);
    Program program(kProgramMemory);
    const auto rule = parse(view(rule_json), "the rule", kMaxRule, program.arena);
    if (!rule.ok()) return plugin::to_abi(rule.status(), error);
    Arena data_arena(kDataMemory);
    const auto data = parse(view(data_json), "the data", kMaxData, data_arena);
    if (!data.ok()) return plugin::to_abi(data.status(), error);
    if (const Status status = compile(*rule, Domain::kJson, program); !status.ok())
      return plugin::to_abi(status, error);

    Arena arena(filled.memory_bytes);
    Evaluator evaluator(program, arena, filled);
    Value result;
    if (!evaluator.run(program.root, *data, &result)) {
      if (!evaluator.limited())
        return fail(error, RZ_INVALID, thrown_type(evaluator.thrown(), arena));
      return fail(error, RZ_LIMIT,
                  std::string("the rule is over its budget of ") + evaluator.limit());
    }
    std::string text;
    if (!write(result, kMaxResult, arena, text))
      return fail(error, RZ_LIMIT, "the rule's result is over 8 MiB of text or 128 levels");
    return put(sink, text);
  });
}

constexpr rz_filter_eval kEval = {eval};

}  // namespace
}  // namespace rhizome::jsonlogic

RHIZOME_PLUGIN({RZ_FILTER_EVAL_ID, &rhizome::jsonlogic::kEval})
