// Rules on any JSON data (rhizome.filter.eval/1).
#include "access.hpp"
#include "json.hpp"
#include "language.hpp"

namespace rhizome::jsonlogic {
namespace {

constexpr std::uint64_t kDataMemory = 64u << 20;  // of parsed data; its text is bounded too

class Rule final : public plugin::FilterRule {
 public:
  Rule(std::unique_ptr<Program> program, const rz_filter_budget& budget)
      : program_(std::move(program)), budget_(budget) {}

  Status eval(ByteView data, std::string& json, bool& thrown) const override {
    Arena data_arena(kDataMemory);
    const auto parsed = parse_json(data, {}, data_arena);
    if (!parsed.ok()) return Status(parsed.status()).with_context("data");
    Arena arena(budget_.memory_bytes);
    Run run(arena, budget_);
    const Value result = Evaluator(*program_, run).evaluate(program_->root, Scope::root(*parsed));
    if (!result.is(Kind::kFailed) && append_json(result, json, run)) return {};
    if (run.failure != Failure::kThrown) return {Code::kLimit, failure_text(run.failure)};
    thrown = true;
    json.clear();
    run.failure = Failure::kNone;
    if (append_json(run.thrown, json, run)) return {};
    return {Code::kLimit, failure_text(run.failure)};
  }

 private:
  const std::unique_ptr<Program> program_;
  const rz_filter_budget budget_;
};

}  // namespace

Result<std::unique_ptr<plugin::FilterRule>> Language::prepare(
    ByteView rule, const rz_filter_budget& budget) const {
  auto program = jsonlogic::compile(rule, Mistakes::kThrow);
  if (!program.ok()) return std::move(program).status();
  return std::unique_ptr<plugin::FilterRule>(std::make_unique<Rule>(std::move(*program), budget));
}

}  // namespace rhizome::jsonlogic
