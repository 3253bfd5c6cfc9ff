// Deltas as JSON Lines, checked one by one: the JSON profile is passed on as it is, the seed
// lineage's forms are turned into it. On the thread that pulls.
#include "importer/importer.hpp"
#include "importer/readers.hpp"
#include "rhizome/delta/json.hpp"
#include "rhizome/delta/lineage.hpp"

namespace rhizome::importer {
namespace {

class DeltaSource final : public RecordSource {
 public:
  DeltaSource(Text text, Options options) : text_(std::move(text)), options_(std::move(options)) {}

  Result<bool> next(ImportItem& item) override {
    bool cut = false;
    for (;;) {
      item.line = text_.line();
      if (!read_line(text_, kJsonMaxBytes, item.json, &cut)) {
        RZ_TRY(text_.status());
        return false;
      }
      if (item.json.find_first_not_of(" \t") == std::string::npos) continue;
      ++records_;
      const Status status = cut ? Status(Code::kLimit, "longer than 4 MiB") : recognise(item);
      if (status.ok()) return true;
      ++bad_;
      if (options_.bad) options_.bad({records_, item.line, status.message()});
    }
  }

  Progress progress() const override { return {text_.position(), text_.size(), records_, bad_}; }

 private:
  Status recognise(ImportItem& item) {
    batch_.clear();
    Status whole = delta_from_json(item.json, batch_);
    item.kind = ImportItem::Kind::kDelta;
    if (whole.ok()) return whole;
    claims_.clear();
    // Nothing of the profile is named so, and nothing of the lineage is without it.
    if (item.json.find("\"timeCreated\"") != std::string::npos) return from_lineage(item);
    item.kind = ImportItem::Kind::kClaims;
    if (claims_from_json(item.json, "import", claims_).ok()) return {};
    return whole;
  }

  Status from_lineage(ImportItem& item) {
    RZ_TRY(claims_from_lineage(item.json, claims_));
    if (decode_claims(claims_, batch_) != DecodeError::kNone)
      return {Code::kInternal, "what was read of the lineage's form is no delta"};
    item.json.clear();
    claims_to_json(batch_[0], item.json);
    return {};
  }

  Text text_;
  Options options_;
  DeltaBatch batch_;
  std::string claims_;
  std::size_t records_ = 0;
  std::size_t bad_ = 0;
};

}  // namespace

Result<std::unique_ptr<RecordSource>> open_deltas(const std::string& path, Options options) {
  Result<Text> text = Text::open(path);
  if (!text) return text.status();
  return std::unique_ptr<RecordSource>(
      std::make_unique<DeltaSource>(std::move(*text), std::move(options)));
}

}  // namespace rhizome::importer
