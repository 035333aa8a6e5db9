//! Tests of the pipeline with sources, detectors and estimates by script.

mod analyser;
mod batch;
mod demo;
mod live;
mod search;
mod sinks;
