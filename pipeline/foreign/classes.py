"""The allow-list: what a model file may name. Everything else is refused by name.

Left out on purpose: what runs code from the file (Lambda, TFSMLayer, JaxLayer, …), what opens
other files (the lookup and text layers), what no runtime of a device has (spectrograms, hashing,
augmentation that mixes samples), and base classes.
"""

from __future__ import annotations

LAYERS = frozenset({
    # dense and convolutional
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose",
    "Dense", "DepthwiseConv1D", "DepthwiseConv2D", "EinsumDense", "Embedding", "InputLayer",
    "SeparableConv1D", "SeparableConv2D",
    # activations
    "Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax",
    # normalization
    "BatchNormalization", "GroupNormalization", "LayerNormalization", "Normalization",
    "RMSNormalization", "SpectralNormalization", "UnitNormalization",
    # attention
    "AdditiveAttention", "Attention", "GroupQueryAttention", "MultiHeadAttention",
    # pooling
    "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalMaxPooling3D", "MaxPooling1D", "MaxPooling2D", "MaxPooling3D",
    # shape
    "Cropping1D", "Cropping2D", "Cropping3D", "Flatten", "Identity", "Masking", "Permute",
    "RepeatVector", "Reshape", "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D",
    "ZeroPadding2D", "ZeroPadding3D",
    # several inputs
    "Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract",
    # recurrent, and wrappers
    "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "GRUCell", "LSTM",
    "LSTMCell", "RNN", "SimpleRNN", "SimpleRNNCell", "StackedRNNCells", "TimeDistributed",
    # training only
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
    # preprocessing and augmentation, sample by sample
    "CategoryEncoding", "CenterCrop", "RandomBrightness", "RandomContrast", "RandomCrop",
    "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "Rescaling", "Resizing",
})  # fmt: skip

# Layers that models of keras.applications bring along → their module.
APPLICATION_LAYERS = {
    "CustomScaleLayer": "keras.src.applications.inception_resnet_v2",
    "LayerScale": "keras.src.applications.convnext",
    "StochasticDepth": "keras.src.applications.convnext",
}

# Layer class → what makes it dangerous or useless here, as the end of a sentence.
REFUSED_LAYERS = {
    "Lambda": "runs Python code that lies in the file",
    "TFSMLayer": "runs a SavedModel from another folder",
    "JaxLayer": "runs functions that no file can hold safely",
    "FlaxLayer": "runs functions that no file can hold safely",
    "TorchModuleWrapper": "runs a pickled module",
    "StringLookup": "reads a vocabulary, which may be any file, and runs on no device",
    "IntegerLookup": "reads a vocabulary, which may be any file, and runs on no device",
    "TextVectorization": "reads a vocabulary, which may be any file, and runs on no device",
    "TensorFlowOpLayer": "holds a TensorFlow graph; save the model with TensorFlow 2.4 or later",
}

MODELS = frozenset({"Functional", "Model", "Sequential"})
# Keys of a layer's config that hold layers.
LAYER_KEYS = frozenset({"layer", "backward_layer", "cell", "cells"})
# Layers that may stand where an activation does.
ACTIVATION_LAYERS = frozenset({"Activation", "ELU", "LeakyReLU", "PReLU", "ReLU", "Softmax"})

ACTIVATIONS = frozenset({
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "sparsemax", "squareplus", "swish", "tanh", "tanh_shrink",
    "threshold",
})  # fmt: skip
INITIALIZERS = frozenset({
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity",
    "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "RandomNormal", "RandomUniform",
    "TruncatedNormal", "VarianceScaling", "Zeros",
})  # fmt: skip
REGULARIZERS = frozenset({"L1", "L1L2", "L2", "OrthogonalRegularizer"})
CONSTRAINTS = frozenset({"MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"})
# End of a config key → (module, classes) of the objects that it may hold.
OBJECTS_BY_KEY = {
    "initializer": ("keras.initializers", INITIALIZERS),
    "regularizer": ("keras.regularizers", REGULARIZERS),
    "constraint": ("keras.constraints", CONSTRAINTS),
}
# Names that Keras takes for the same classes when they are given as text.
OBJECT_NAMES = {
    "zero": "Zeros", "one": "Ones", "normal": "RandomNormal", "uniform": "RandomUniform",
    "l1_l2": "L1L2", "identity": "Identity", "orthogonal": "Orthogonal",
}  # fmt: skip

DTYPES = frozenset({
    "bfloat16", "bool", "float16", "float32", "float64", "int16", "int32", "int64", "int8",
    "mixed_bfloat16", "mixed_float16", "uint16", "uint32", "uint64", "uint8",
})  # fmt: skip
DTYPE_POLICIES = frozenset({"DTypePolicy", "FloatDTypePolicy", "Policy"})

# Module → the operations that a functional model of Keras 3 may hold: `x + y`, keras.ops.…
OPERATIONS = {
    "keras.src.ops.numpy": frozenset({
        "Absolute", "Abs", "Add", "All", "Amax", "Amin", "Any", "Arccos", "Arccosh", "Arcsin",
        "Arcsinh", "Arctan", "Arctan2", "Arctanh", "Argmax", "Argmin", "Average", "BroadcastTo",
        "Ceil", "Clip", "Concatenate", "Copy", "Cos", "Cosh", "CountNonzero", "Cumprod", "Cumsum",
        "Divide", "DivideNoNan", "Dot", "Einsum", "Equal", "Exp", "ExpandDims", "Expm1", "Flip",
        "Floor", "FloorDivide", "FullLike", "GetItem", "Greater", "GreaterEqual", "Hstack",
        "Inner", "Isclose", "Isfinite", "Isinf", "Isnan", "Less", "LessEqual", "Log", "Log10",
        "Log1p", "Log2", "Logaddexp", "LogicalAnd", "LogicalNot", "LogicalOr", "LogicalXor",
        "Matmul", "Max", "Maximum", "Mean", "Min", "Minimum", "Mod", "Moveaxis", "Multiply",
        "NanToNum", "Negative", "NotEqual", "OnesLike", "Outer", "Pad", "Power", "Prod", "Ravel",
        "Reciprocal", "Repeat", "Reshape", "Roll", "Round", "Sign", "Sin", "Sinh", "Split",
        "Sqrt", "Square", "Squeeze", "Stack", "Std", "Subtract", "Sum", "Swapaxes", "Take",
        "TakeAlongAxis", "Tan", "Tanh", "Tensordot", "Tile", "Transpose", "Tril", "Triu",
        "TrueDivide", "Trunc", "Var", "Vstack", "Where", "ZerosLike",
    }),
    "keras.src.ops.nn": frozenset({
        "AveragePool", "Celu", "DepthToSpace", "Elu", "Gelu", "Glu", "HardShrink", "HardSigmoid",
        "HardSilu", "HardTanh", "LayerNorm", "LeakyRelu", "LogSigmoid", "LogSoftmax", "MaxPool",
        "Moments", "MultiHot", "Normalize", "OneHot", "RMSNorm", "Relu", "Relu6", "Selu",
        "Sigmoid", "Silu", "SoftShrink", "Softmax", "Softplus", "Softsign", "SpaceToDepth",
        "SparsePlus", "SparseSigmoid", "Sparsemax", "Squareplus", "TanhShrink", "Threshold",
    }),
    "keras.src.ops.core": frozenset({"Cast", "Slice", "StopGradient", "Unstack"}),
    "keras.src.ops.math": frozenset({"Erf", "Logsumexp", "Rsqrt", "TopK"}),
    "keras.src.ops.linalg": frozenset({"Norm"}),
    "keras.src.ops.image": frozenset({
        "CropImages", "PadImages", "RGBToGrayscale", "Resize",
    }),
}  # fmt: skip
# Operation → its module; the names are those of one module each.
OPERATION_MODULES = {name: module for module, names in OPERATIONS.items() for name in names}
# Numbers that make Keras build as many Python objects at once.
MAX_PIECES = 4096
PIECES_KEYS = frozenset({"num", "indices_or_sections"})
