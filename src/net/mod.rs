//! The papers, as graphs: SSR-Net (Yang et al., IJCAI 2018) and FSA-Net (Yang et al., CVPR 2019).
