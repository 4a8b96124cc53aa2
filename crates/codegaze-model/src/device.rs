//! Where the encoder runs.

use codegaze_text::named_enum;

use super::kernels::candle::Candle;
use super::kernels::cpu::Cpu;
use super::roberta::{Encoder, ReadTensor, RobertaConfig, RobertaEncoder};
use super::{LoadError, Precision};

named_enum! {
    /// A compute device.
    #[derive(Default)]
    pub enum Device as "device" {
        /// All cores, on prepacked weights.
        #[default]
        Cpu = "cpu", "codegaze's own kernels";
        /// All cores, on candle's own operations: what [`Device::Cpu`] is compared with.
        CandleCpu = "candle-cpu", "candle's kernels: slower, to compare with";
        /// The first CUDA device. Needs the cargo feature `cuda`.
        Cuda = "cuda", "an NVIDIA GPU, in a build with it; untested";
        /// The first Metal device. Needs the cargo feature `metal`.
        Metal = "metal", "an Apple GPU, in a build with it; untested";
    }
}

impl Device {
    fn check_compiled_in(self) -> Result<(), LoadError> {
        let (feature, is_in) = match self {
            Self::Cpu | Self::CandleCpu => return Ok(()),
            Self::Cuda => ("cuda", cfg!(feature = "cuda")),
            Self::Metal => ("metal", cfg!(feature = "metal")),
        };
        if is_in {
            Ok(())
        } else {
            Err(LoadError::NotCompiledIn { feature })
        }
    }

    /// Moves a model's weights onto the device, in the given precision.
    pub(super) fn encoder(
        self,
        precision: Precision,
        config: RobertaConfig,
        read: &mut ReadTensor<'_>,
    ) -> Result<Box<dyn Encoder>, LoadError> {
        self.check_compiled_in()?;
        let device = match self {
            Self::Cpu => {
                let backend = match precision {
                    Precision::F32 => Cpu,
                };
                return Ok(Box::new(RobertaEncoder::load(config, backend, read)?));
            }
            Self::CandleCpu => Ok(candle_core::Device::Cpu),
            Self::Cuda => candle_core::Device::new_cuda(0),
            Self::Metal => candle_core::Device::new_metal(0),
        };
        let device = device.map_err(|source| LoadError::Device {
            source: Box::new(source),
        })?;
        let backend = match precision {
            Precision::F32 => Candle::new(device),
        };
        let encoder = RobertaEncoder::load(config, backend, read)?;
        Ok(Box::new(encoder))
    }
}
