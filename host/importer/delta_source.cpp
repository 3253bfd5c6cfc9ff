// Deltas as JSON Lines, checked one by one and passed on as they are. On the thread that pulls.
#include "importer/importer.hpp"
#include "importer/readers.hpp"
#include "rhizome/delta/json.hpp"

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
    item.kind = ImportItem::Kind::kClaims;
    if (claims_from_json(item.json, "import", claims_).ok()) return {};
    return whole;
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
