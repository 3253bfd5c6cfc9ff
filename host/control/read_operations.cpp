// Views, and the options of reads.
#include "control/operations.hpp"
#include "control/to_json.hpp"
#include "views/entity_json.hpp"

namespace rhizome::control {

const std::vector<Field> kReadFields = {{"min_confirm", FieldKind::kText},
                                        {"tokens", FieldKind::kAny},
                                        {"deadline_ms", FieldKind::kNumber}};

Result<api::ReadOptions> read_options(const Request& request) {
  api::ReadOptions options;
  options.min_confirm = request.text("min_confirm");
  options.deadline_ms = request.number("deadline_ms").value_or(options.deadline_ms);
  const auto tokens = request.header().find("tokens");
  if (tokens == request.header().end()) return options;
  if (!tokens->is_array())
    return Status(Code::kInvalid, request.op() + ".tokens: expected a list of at most 64 tokens");
  for (const Json& token : *tokens) {
    if (!token.is_string()) return Status(Code::kInvalid, request.op() + ".tokens: expected texts");
    options.tokens.push_back(token.get<std::string>());
  }
  return options;
}

namespace {

constexpr std::size_t kPartBytes = 8u << 20;  // of a text in one answer

// A text that is longer than a message, as the client takes its parts.
class TextOperation final : public Operation {
 public:
  TextOperation(RequestPointer request, std::string text, Json end)
      : Operation(std::move(request)), text_(std::move(text)), end_(std::move(end)) {}

  bool go_on(Session& session) override {
    while (text_.size() - at_ > kPartBytes) {
      if (!session.has_room()) return false;
      session.reply(request(), {{"more", true}}, ByteView(text_).substr(at_, kPartBytes));
      at_ += kPartBytes;
    }
    session.reply(request(), end_, ByteView(text_).substr(at_));
    return true;
  }
  // What is left of the text would be no JSON without its end: it comes whole.
  void cancel() override {}

 private:
  const std::string text_;
  const Json end_;
  std::size_t at_ = 0;
};

}  // namespace

void answer_text(Session& session, const RequestPointer& request, std::string text, Json end) {
  session.begin(std::make_unique<TextOperation>(request, std::move(text), std::move(end)));
}

namespace {

std::string text_of(const api::GetResult& result) {
  std::string text =
      std::visit([](const auto& view) { return rhizome::to_json(view); }, result.view);
  const Json tokens = to_json(result.tokens);
  if (tokens.empty()) return text;
  const std::string members = dump(tokens);
  text.insert(1, members.substr(1, members.size() - 2) + ",");
  return text;
}

}  // namespace

namespace operations {

Status get(Session& session, const RequestPointer& request) {
  RZ_TRY(request->check(with({{"entity", FieldKind::kText},
                              {"lossless", FieldKind::kFlag},
                              {"resolver", FieldKind::kText},
                              {"resolver_options", FieldKind::kObject}},
                             kReadFields)));
  const auto entity = request->text("entity");
  if (!entity) return {Code::kInvalid, "get: expected an entity"};
  Result<api::ReadOptions> options = read_options(*request);
  if (!options.ok()) return options.status();
  api::GetRequest asked;
  asked.entity = *entity;
  asked.lossless = request->flag("lossless");
  if (auto resolver = request->text("resolver")) asked.resolver = std::move(*resolver);
  if (request->has("resolver_options"))
    asked.resolver_options = dump(request->header()["resolver_options"]);
  asked.read = std::move(*options);
  auto operation = std::make_unique<WaitOperation>(request);
  WaitOperation* const wait = operation.get();
  session.begin(std::move(operation));
  auto cancel =
      session.api().get(session.by(), std::move(asked),
                        [weak = session.weak_from_this(), request](Result<api::GetResult> result) {
                          const auto self = weak.lock();
                          if (self == nullptr) return;
                          if (!result.ok())
                            return self->post([request, status = result.status()](Session& s) {
                              s.fail(request, status);
                            });
                          const auto text = std::make_shared<std::string>(text_of(*result));
                          self->post([request, text, canceled = result->canceled](Session& s) {
                            if (!s.is_under_way(*request)) return;
                            Json end = Json::object();
                            if (canceled) end["canceled"] = true;
                            answer_text(s, request, std::move(*text), std::move(end));
                          });
                        });
  wait->set_cancel(std::move(cancel));
  return {};
}

}  // namespace operations

}  // namespace rhizome::control
