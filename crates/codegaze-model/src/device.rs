//! Where the encoder runs.

use std::fmt;
use std::str::FromStr;

use super::LoadError;
use super::kernels::candle::Candle;
use super::kernels::cpu::Cpu;
use super::roberta::{Encoder, ReadTensor, RobertaConfig, RobertaEncoder};

/// A compute device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// All cores, on prepacked weights.
    #[default]
    Cpu,
    /// All cores, on candle's own operations: the yardstick for [`Device::Cpu`].
    CandleCpu,
    /// The first CUDA device. Needs the cargo feature `cuda`.
    Cuda,
    /// The first Metal device. Needs the cargo feature `metal`.
    Metal,
}

/// A device's name that is not known.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no device; write cpu, candle-cpu, cuda or metal")]
pub struct DeviceError(String);

impl fmt::Display for Device {
    /// As [`Device::from_str`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::CandleCpu => "candle-cpu",
            Self::Cuda => "cuda",
            Self::Metal => "metal",
        })
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    fn from_str(name: &str) -> Result<Self, DeviceError> {
        match name {
            "cpu" => Ok(Self::Cpu),
            "candle-cpu" => Ok(Self::CandleCpu),
            "cuda" => Ok(Self::Cuda),
            "metal" => Ok(Self::Metal),
            other => Err(DeviceError(other.to_owned())),
        }
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

    /// Moves a model's weights onto the device.
    pub(super) fn encoder(
        self,
        config: RobertaConfig,
        read: &mut ReadTensor<'_>,
    ) -> Result<Box<dyn Encoder>, LoadError> {
        self.check_compiled_in()?;
        let device = match self {
            Self::Cpu => return Ok(Box::new(RobertaEncoder::load(config, Cpu, read)?)),
            Self::CandleCpu => Ok(candle_core::Device::Cpu),
            Self::Cuda => candle_core::Device::new_cuda(0),
            Self::Metal => candle_core::Device::new_metal(0),
        };
        let device = device.map_err(|source| LoadError::Device {
            source: Box::new(source),
        })?;
        let encoder = RobertaEncoder::load(config, Candle::new(device), read)?;
        Ok(Box::new(encoder))
    }
}
