// 3 × 3 convolutions of stride 1 in float32 by Winograd's minimal filtering, F(4 × 4, 3 × 3) (Lavin and Gray 2016,
// https://arxiv.org/abs/1509.09308), forward and backward: a quarter of the multiplications. The kernels are those
// of the oneDNN that LibTorch itself is linked to; LibTorch asks it for direct ones only.
//
// An addon of its own, for LibTorchs that take oneDNN 2 from the system. Loading it registers one operator,
// `carryover::convolution_3x3`, which equals `aten::conv2d` up to rounding and is called as all operators are,
// through the dispatcher. What Winograd cannot take, or not faster, goes to `aten::conv2d`.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <node_api.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <array>
#include <map>
#include <memory>
#include <string>

#include <oneapi/dnnl/dnnl.hpp>

#if DNNL_VERSION_MAJOR != 2
#error "expected oneDNN 2: version 3 has no Winograd kernels for x86"
#endif

namespace {

using dnnl::memory;

dnnl::engine& processor() {
  static auto* engine = new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return *engine;
}

dnnl::stream& stream() {
  static auto* stream = new dnnl::stream(processor());
  return *stream;
}

memory::desc describe(const memory::dims& shape, memory::format_tag format) {
  return memory::desc(shape, memory::data_type::f32, format);
}

/// Memory of LibTorch's allocator, which is 64-byte aligned and keeps what is freed.
at::Tensor buffer(const memory::desc& desc) {
  return at::empty({static_cast<int64_t>(desc.get_size())}, at::TensorOptions().dtype(at::kByte));
}

memory view(const at::Tensor& tensor, const memory::desc& desc) { return memory(desc, processor(), tensor.data_ptr()); }

/// One tensor of a kernel: how it lies outside (channels last, weights contiguous) and how the kernel wants it.
struct Side {
  memory::desc outer, inner;
  dnnl::reorder conversion;

  static Side in(const memory::desc& outer, const memory::desc& inner) {
    return {outer, inner, dnnl::reorder({processor(), outer, processor(), inner})};
  }
  static Side out(const memory::desc& outer, const memory::desc& inner) {
    return {outer, inner, dnnl::reorder({processor(), inner, processor(), outer})};
  }
  at::Tensor enter(const at::Tensor& tensor) const {
    at::Tensor result = buffer(inner);
    memory from = view(tensor, outer), to = view(result, inner);
    conversion.execute(stream(), from, to);
    return result;
  }
  void leave(const at::Tensor& from, const at::Tensor& tensor) const {
    memory inside = view(from, inner), outside = view(tensor, outer);
    conversion.execute(stream(), inside, outside);
  }
};

/// A kernel of one pass: two tensors in, one out, each with oneDNN's number of that argument.
struct Kernel {
  dnnl::primitive primitive;
  memory::desc scratch;
  int first_argument, second_argument, result_argument;
  Side first, second, result;

  void run(const at::Tensor& a, const at::Tensor& b, const at::Tensor& out) const {
    at::Tensor inner_a = first.enter(a), inner_b = second.enter(b);
    at::Tensor inner_out = buffer(result.inner), space = buffer(scratch);
    primitive.execute(stream(), {{first_argument, view(inner_a, first.inner)},
                                 {second_argument, view(inner_b, second.inner)},
                                 {result_argument, view(inner_out, result.inner)},
                                 {DNNL_ARG_SCRATCHPAD, view(space, scratch)}});
    result.leave(inner_out, out);
    stream().wait();
  }
};

struct Kernels {
  Kernel forward, input_gradient, weight_gradient;
};

/// What a set of kernels is made for; oneDNN makes them for a number of threads.
struct Shape {
  int64_t batch, inputs, outputs, height, width, padding;
  std::array<int64_t, 7> key() const { return {batch, inputs, outputs, height, width, padding, at::get_num_threads()}; }
  std::vector<int64_t> result() const { return {batch, outputs, height + 2 * padding - 2, width + 2 * padding - 2}; }
};

/// @throws dnnl::error where oneDNN has no such kernel, as on processors without AVX-512.
Kernels make(const Shape& shape) {
  const auto winograd = dnnl::algorithm::convolution_winograd;
  const auto last = memory::format_tag::nhwc, any = memory::format_tag::any;
  const memory::dims images = {shape.batch, shape.inputs, shape.height, shape.width};
  const memory::dims filters = {shape.outputs, shape.inputs, 3, 3}, results = shape.result();
  const memory::dims stride = {1, 1}, padding = {shape.padding, shape.padding};
  const memory::desc x = describe(images, any), w = describe(filters, any), y = describe(results, any);
  const memory::desc x_outer = describe(images, last), y_outer = describe(results, last);
  const memory::desc w_outer = describe(filters, memory::format_tag::oihw);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);

  using Forward = dnnl::convolution_forward;
  Forward::primitive_desc forward(
      {dnnl::prop_kind::forward_training, winograd, x, w, y, stride, padding, padding}, attributes, processor());
  using Data = dnnl::convolution_backward_data;
  Data::primitive_desc data({winograd, x, w, y, stride, padding, padding}, attributes, processor(), forward);
  using Weights = dnnl::convolution_backward_weights;
  Weights::primitive_desc weights({winograd, x, w, y, stride, padding, padding}, attributes, processor(), forward);
  return {
      {Forward(forward), forward.scratchpad_desc(), DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST,
       Side::in(x_outer, forward.src_desc()), Side::in(w_outer, forward.weights_desc()),
       Side::out(y_outer, forward.dst_desc())},
      {Data(data), data.scratchpad_desc(), DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC,
       Side::in(y_outer, data.diff_dst_desc()), Side::in(w_outer, data.weights_desc()),
       Side::out(x_outer, data.diff_src_desc())},
      {Weights(weights), weights.scratchpad_desc(), DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS,
       Side::in(x_outer, weights.src_desc()), Side::in(y_outer, weights.diff_dst_desc()),
       Side::out(w_outer, weights.diff_weights_desc())},
  };
}

Shape shape_of(const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  return {input.size(0), weight.size(1), weight.size(0), input.size(2), input.size(3), padding};
}

/// The kernels of a shape, made once; null where there are none or direct convolution is as fast.
const Kernels* kernels_of(const Shape& shape) {
  static auto* known = new std::map<std::array<int64_t, 7>, std::unique_ptr<Kernels>>();
  auto found = known->find(shape.key());
  if (found == known->end()) {
    std::unique_ptr<Kernels> made;
    try {
      made = std::make_unique<Kernels>(make(shape));
    } catch (const dnnl::error&) {
      // Direct, then.
    }
    found = known->emplace(shape.key(), std::move(made)).first;
  }
  return found->second.get();
}

/// Enough tiles of 4 × 4 and channels for the transforms to be the smaller part.
bool is_worthwhile(const Shape& shape) {
  return shape.inputs % 16 == 0 && shape.outputs % 16 == 0 && shape.height >= 7 && shape.width >= 7;
}

const Kernels* kernels_for(const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  const bool fits = input.device().is_cpu() && input.scalar_type() == at::kFloat && input.dim() == 4 &&
                    weight.scalar_type() == at::kFloat && weight.dim() == 4 && input.size(1) == weight.size(1) &&
                    weight.size(2) == 3 && weight.size(3) == 3 && input.numel() > 0 && padding >= 0 && padding <= 1;
  if (!fits) return nullptr;
  const Shape shape = shape_of(input, weight, padding);
  return is_worthwhile(shape) ? kernels_of(shape) : nullptr;
}

at::Tensor channels_last(const at::Tensor& tensor) { return tensor.contiguous(at::MemoryFormat::ChannelsLast); }

at::Tensor direct(const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  return at::conv2d(input, weight, {}, 1, padding);
}

at::Tensor forward(const Kernels& kernels, const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  at::Tensor result = at::empty(shape_of(input, weight, padding).result(),
                                input.options().memory_format(at::MemoryFormat::ChannelsLast));
  kernels.forward.run(channels_last(input), weight.contiguous(), result);
  return result;
}

struct Convolution : torch::autograd::Function<Convolution> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input, const at::Tensor& weight,
                            int64_t padding) {
    at::AutoDispatchBelowADInplaceOrView below;
    context->save_for_backward({input, weight});
    context->saved_data["padding"] = padding;
    context->saved_data["input"] = input.requires_grad();
    context->saved_data["weight"] = weight.requires_grad();
    return ::forward(*kernels_for(input, weight, padding), input, weight, padding);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "carryover::convolution_3x3: expected first derivatives only");
    const auto saved = context->get_saved_variables();
    const at::Tensor &input = saved[0], &weight = saved[1];
    const int64_t padding = context->saved_data["padding"].toInt();
    // Another number of threads since then has other kernels.
    const Kernels* kernels = kernels_for(input, weight, padding);
    TORCH_CHECK(kernels, "carryover::convolution_3x3: expected kernels for ", at::get_num_threads(), " threads, got none");
    const at::Tensor gradient = channels_last(gradients[0]);
    at::Tensor of_input, of_weight;
    if (context->saved_data["input"].toBool()) {
      of_input = at::empty(input.sizes(), input.options().memory_format(at::MemoryFormat::ChannelsLast));
      kernels->input_gradient.run(gradient, weight.contiguous(), of_input);
    }
    if (context->saved_data["weight"].toBool()) {
      of_weight = at::empty(weight.sizes(), weight.options().memory_format(at::MemoryFormat::Contiguous));
      kernels->weight_gradient.run(channels_last(input), gradient, of_weight);
    }
    return {of_input, of_weight, at::Tensor()};
  }
};

at::Tensor with_gradients(const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  return kernels_for(input, weight, padding) ? Convolution::apply(input, weight, padding)
                                             : direct(input, weight, padding);
}

at::Tensor without_gradients(const at::Tensor& input, const at::Tensor& weight, int64_t padding) {
  const Kernels* kernels = kernels_for(input, weight, padding);
  return kernels ? forward(*kernels, input, weight, padding) : direct(input, weight, padding);
}

TORCH_LIBRARY_FRAGMENT(carryover, library) {
  library.def("convolution_3x3(Tensor input, Tensor weight, int padding) -> Tensor");
  library.impl("convolution_3x3", c10::DispatchKey::CPU, TORCH_FN(without_gradients));
  library.impl("convolution_3x3", c10::DispatchKey::AutogradCPU, TORCH_FN(with_gradients));
  // Under autocast it is a convolution like the others, in 16 bits.
  library.impl("convolution_3x3", c10::DispatchKey::AutocastCPU, TORCH_FN(direct));
}

}  // namespace

NAPI_MODULE_INIT() {
  const dnnl_version_t* version = dnnl::version();
  const std::string text =
      std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch);
  napi_value value;
  napi_create_string_utf8(env, text.c_str(), text.size(), &value);
  napi_set_named_property(env, exports, "version", value);
  return exports;
}
