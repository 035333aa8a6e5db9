//! rten on ONNX files, call by call, with the questions and answers of `worker.py`.

use std::error::Error;
use std::io::{BufRead as _, stdin};
use std::time::{Duration, Instant};

use rten::{Dimension, Model, ModelOptions};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;
use serde_json::{Map, Value, json};

/// A network and an input for it.
struct Net {
    name: String,
    model: Model,
    input: Tensor<f32>,
}

impl Net {
    fn open(name: &str, path: &str) -> Result<Self, Box<dyn Error>> {
        let model = ModelOptions::with_all_ops().prepack_weights(true).load_file(path)?;
        let shape = model.input_shape(0).ok_or("its input has no shape")?;
        // Detectors take any side; the one that they are made for ends their name.
        let free = name.strip_prefix("blazeface").and_then(|rest| rest.rsplit('-').next()?.parse().ok()).unwrap_or(1);
        let side = |side: &Dimension| if let Dimension::Fixed(side) = side { *side } else { free };
        let shape: Vec<usize> = shape.iter().map(side).collect();
        let values = (0..shape.iter().product()).map(|at| (at as f32 * 0.37).sin()).collect::<Vec<f32>>();
        Ok(Self { name: name.to_owned(), model, input: Tensor::from_data(&shape, values) })
    }

    fn run(&self) -> Result<(), Box<dyn Error>> {
        std::hint::black_box(self.model.run_one(self.input.view().into(), None)?);
        Ok(())
    }
}

/// Median wall milliseconds and mean processor milliseconds of one call.
fn time_call(net: &Net, time: Duration) -> Result<Value, Box<dyn Error>> {
    (0..3).try_for_each(|_| net.run())?;
    let (mut times, start, cpu) = (Vec::new(), Instant::now(), processor_ms());
    while times.len() < 5 || start.elapsed() < time {
        let before = Instant::now();
        net.run()?;
        times.push(before.elapsed().as_secs_f64() * 1e3);
    }
    let cpu = (processor_ms() - cpu) / times.len() as f64;
    times.sort_by(f64::total_cmp);
    Ok(json!({ "wall_ms": times[times.len() / 2], "cpu_ms": cpu }))
}

fn processor_ms() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn main() -> Result<(), Box<dyn Error>> {
    let options: Value = serde_json::from_str(&std::env::args().nth(1).ok_or("run.py starts this program")?)?;
    let files = options["files"].as_object().ok_or("no files")?;
    let mut nets = Vec::new();
    for (name, path) in files {
        match Net::open(name, path.as_str().unwrap_or_default()) {
            Ok(net) => nets.push(net),
            Err(error) => eprintln!("rten does not take {name}: {error}"),
        }
    }
    println!("{}", json!({ "ready": "rten 0.27.0" }));
    for line in stdin().lock().lines() {
        let ask: Value = serde_json::from_str(&line?)?;
        let seconds = Duration::from_secs_f64(ask["seconds"].as_f64().unwrap_or(0.5));
        let mut answer = Map::new();
        for net in &nets {
            match time_call(net, seconds) {
                Ok(figures) => drop(answer.insert(net.name.clone(), figures)),
                Err(error) => eprintln!("rten fails on {}: {error}", net.name),
            }
        }
        println!("{}", Value::Object(answer));
    }
    Ok(())
}
